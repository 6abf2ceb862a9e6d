package redis

import "syscall"

// childAttributes make a child that dies with this process, even if this
// process is killed.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

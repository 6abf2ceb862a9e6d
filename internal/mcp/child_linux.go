package mcp

import "syscall"

// childAttributes make the command the head of a group, which a signal of the
// terminal does not reach and which can be ended as a whole; it dies with this
// process, even if this process is killed.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

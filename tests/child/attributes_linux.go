// Package child lets a process that tests start die with them.
package child

import "syscall"

// Attributes make a child that dies with this process, even if this process
// is killed.
func Attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

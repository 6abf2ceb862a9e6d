package child

import "syscall"

// Attributes makes a child process that ends with this process, even if this one
// is killed.
func Attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

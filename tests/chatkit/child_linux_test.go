//go:build chatkit

package chatkit_test

import "syscall"

// child makes the reference end with the test process, however that ends.
func child() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

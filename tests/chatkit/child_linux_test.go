//go:build chatkit

package chatkit_test

import "syscall"

// child makes the reference end with the test process, whatever ends that.
func child() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

//go:build chatkit && !linux

package chatkit_test

import "syscall"

// child is all the same: only Linux ends a process with its parent.
func child() *syscall.SysProcAttr { return nil }

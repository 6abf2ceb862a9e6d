//go:build chatkit && !linux

package chatkit_test

import "syscall"

// child does nothing: only Linux can end a process with its parent.
func child() *syscall.SysProcAttr { return nil }

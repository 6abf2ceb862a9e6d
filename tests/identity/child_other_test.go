//go:build !linux

package identity_test

import "syscall"

// childAttributes do nothing here: only Linux has a death signal.
func childAttributes() *syscall.SysProcAttr { return nil }

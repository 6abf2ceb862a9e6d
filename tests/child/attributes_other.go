//go:build !linux

package child

import "syscall"

// Attributes does nothing here: only Linux has a parent death signal.
func Attributes() *syscall.SysProcAttr { return nil }

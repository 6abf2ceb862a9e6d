//go:build !linux

// Package child lets a process that tests start die with them.
package child

import "syscall"

// Attributes do nothing here: only Linux has a death signal.
func Attributes() *syscall.SysProcAttr { return nil }

//go:build unix && !linux

package mcp

import "syscall"

// childAttributes make the command the head of a group, which a signal of the
// terminal does not reach and which can be ended as a whole.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

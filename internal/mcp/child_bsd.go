//go:build unix && !linux

package mcp

import "syscall"

// childAttributes makes the command the head of a process group, which signals
// of the terminal do not reach and which can be killed as a whole.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

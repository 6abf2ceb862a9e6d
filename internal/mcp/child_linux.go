package mcp

import "syscall"

// childAttributes makes the command the head of a process group, which signals
// of the terminal do not reach and which can be killed as a whole. The
// kernel kills the command when this process ends, even if this one is killed.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

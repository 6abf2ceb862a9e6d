//go:build unix

package mcp

import (
	"os"
	"syscall"
)

// killAll kills the command's process group. A launcher such as npx may exit
// before the processes that it started.
func killAll(head *os.Process) { _ = syscall.Kill(-head.Pid, syscall.SIGKILL) }

//go:build unix

package mcp

import (
	"os"
	"syscall"
)

// killAll ends the command's whole group, as far as it is there: a launcher
// such as npx may end before what it has launched.
func killAll(head *os.Process) { _ = syscall.Kill(-head.Pid, syscall.SIGKILL) }

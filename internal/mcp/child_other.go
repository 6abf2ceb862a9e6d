//go:build !unix

package mcp

import (
	"os"
	"syscall"
)

func childAttributes() *syscall.SysProcAttr { return nil }

func killAll(head *os.Process) { _ = head.Kill() }

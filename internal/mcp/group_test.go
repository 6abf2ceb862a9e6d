package mcp

import (
	"errors"
	"syscall"
	"testing"
)

// childOf returns the process of a toolbox's only command, which is the head of
// its process group.
func childOf(t *testing.T, b box) int {
	t.Helper()
	c, err := b.servers[0].slot.wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c.carrier.(*command).cmd.Process.Pid
}

// stopProcess suspends a process.
func stopProcess(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
}

// wantGone waits until no process of the group is left.
func wantGone(t *testing.T, group int) {
	t.Helper()
	until(t, "the group of processes is gone", func() bool { return errors.Is(syscall.Kill(-group, 0), syscall.ESRCH) })
}

package mcp

import (
	"errors"
	"syscall"
	"testing"
)

// childOf is the process that serves a toolbox's only command, the head of its
// group.
func childOf(t *testing.T, b box) int {
	t.Helper()
	c, err := b.servers[0].slot.wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c.carrier.(*command).cmd.Process.Pid
}

// stopProcess lets a process do nothing more, and not end either.
func stopProcess(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
}

// wantGone wants no process of the group to be left.
func wantGone(t *testing.T, group int) {
	t.Helper()
	until(t, "the group of processes is gone", func() bool { return errors.Is(syscall.Kill(-group, 0), syscall.ESRCH) })
}

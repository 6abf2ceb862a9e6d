package mcp

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/tasks"
)

// TestToolsStayOfferedWhileReconnecting: after a command has died in a call,
// its tools are offered from the cached list, and the next call waits for the
// new process instead of failing.
func TestToolsStayOfferedWhileReconnecting(t *testing.T) {
	t.Parallel()
	p := brisk()
	p.again, p.most = 400*time.Millisecond, 400*time.Millisecond
	b := openAt(t, p, Server{Name: "tasks", Command: tasks.Binary(t)})
	before := b.names()
	b.wantFailed("crash", "", "broke during the call")
	if after := b.names(); !slices.Equal(before, after) {
		t.Errorf("right after the crash the tools are %q, want %q", after, before)
	}
	b.want("list_tasks", "", "There are no tasks.")
	if after := b.names(); !slices.Equal(before, after) {
		t.Errorf("after the restart the tools are %q, want %q", after, before)
	}
}

// TestCallWaitsNoLongerThanItsTimeout: a call to a server that does not come
// back ends with a tool error that says so, and that the tool was not called.
func TestCallWaitsNoLongerThanItsTimeout(t *testing.T) {
	t.Parallel()
	remote := tasks.Serve(t)
	server := served(remote)
	server.Timeout = 300 * time.Millisecond
	b := open(t, server)
	remote.Kill()
	b.call("list_tasks", "") // may be the one that finds the connection broken
	b.wantFailed("list_tasks", "", "cannot be reached", "was not called")
	if !b.has("list_tasks") {
		t.Error("the tools of a server that is reconnecting are not offered")
	}
	remote.Start()
	until(t, "the server is connected again", func() bool { return !b.call("list_tasks", "").Failed })
}

// TestCachedToolsExpire: a server that stays away loses its cached list.
func TestCachedToolsExpire(t *testing.T) {
	t.Parallel()
	p := brisk()
	p.keep = 100 * time.Millisecond
	remote := tasks.Serve(t)
	server := served(remote)
	server.Timeout = 200 * time.Millisecond
	b := openAt(t, p, server)
	remote.Kill()
	b.call("list_tasks", "") // finds that the connection is broken
	until(t, "the tools are no longer offered", func() bool { return len(b.names()) == 0 })
	b.wantFailed("list_tasks", "", "cannot be reached")
	remote.Start()
	until(t, "the tools are offered again", func() bool { return b.has("list_tasks") })
}

// TestUnreachedServerHasNoTools: nothing is cached of a server that was never
// reached.
func TestUnreachedServerHasNoTools(t *testing.T) {
	t.Parallel()
	b := open(t, served(tasks.NewUnstarted(t)))
	if names := b.names(); len(names) != 0 {
		t.Errorf("the tools are %q", names)
	}
	b.wantFailed("list_tasks", "", "cannot be reached")
}

// TestBackoff: a command that dies at every call is restarted after longer and
// longer pauses, because starting alone proves nothing; a completed call makes
// the next pause short again.
func TestBackoff(t *testing.T) {
	t.Parallel()
	p := brisk()
	p.again, p.most = 8*time.Millisecond, time.Hour
	b := openAt(t, p, Server{Name: "tasks", Command: tasks.Binary(t)})
	for n := range 5 {
		b.wantFailed("crash", "", "broke during the call")
		until(t, "the pause is logged", func() bool { return len(pausesIn(t, b.log.String())) == n+1 })
	}
	if pauses := pausesIn(t, b.log.String()); pauses[4] < 64*time.Millisecond {
		t.Errorf("the pauses are %v, want them to double from 8ms", pauses)
	}
	b.want("list_tasks", "", "There are no tasks.")
	b.wantFailed("crash", "", "broke during the call")
	until(t, "the pause is logged", func() bool { return len(pausesIn(t, b.log.String())) == 6 })
	if pauses := pausesIn(t, b.log.String()); pauses[5] > 8*time.Millisecond {
		t.Errorf("the pauses are %v, want the last to be 8ms at most", pauses)
	}
}

// pausesIn reads the pauses before each new attempt from the log.
func pausesIn(t *testing.T, log string) []time.Duration {
	t.Helper()
	var pauses []time.Duration
	for line := range strings.Lines(log) {
		if _, value, ok := strings.Cut(line, "retry_in="); ok && strings.HasSuffix(line, "\n") {
			pause, err := time.ParseDuration(strings.Fields(value)[0])
			if err != nil {
				t.Fatal(err)
			}
			pauses = append(pauses, pause)
		}
	}
	return pauses
}

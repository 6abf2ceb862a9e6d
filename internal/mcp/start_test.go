package mcp

import (
	"strings"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/tasks"
)

// TestStartTimeout: each server has its own, and the log says how long a start
// took.
func TestStartTimeout(t *testing.T) {
	t.Parallel()
	b := open(t, Server{Name: "mute", Command: tasks.Binary(t), Args: []string{"-mute"}, StartTimeout: 100 * time.Millisecond},
		Server{Name: "tasks", Command: tasks.Binary(t)})
	if log := b.log.String(); !strings.Contains(log, "did not start within 100ms") || !strings.Contains(log, "start_took=") {
		t.Error("the log does not say how long the starts took")
	}
	if got := b.servers[1].StartTimeout; got < time.Minute {
		t.Errorf("the default is %s, want a minute or more", got)
	}
}

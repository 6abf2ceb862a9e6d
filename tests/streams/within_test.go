package streams_test

import (
	"testing"
	"time"
)

// soon is the time that a busy machine may take for what a server does at once.
const soon = 10 * time.Second

// within fails when the channel is not closed in time. It returns how long
// it took.
func within(t *testing.T, limit time.Duration, what string, done <-chan struct{}) time.Duration {
	t.Helper()
	begin := time.Now()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	select {
	case <-done:
	case <-deadline.C:
		t.Fatalf("not within %s: %s", limit, what)
	}
	return time.Since(begin)
}

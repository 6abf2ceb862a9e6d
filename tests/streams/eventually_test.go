package streams_test

import (
	"testing"
	"time"
)

// soon is the time that a busy machine may take for what a server does at once.
const soon = 10 * time.Second

// looks bounds how often eventually checks, so that a long wait costs little.
const looks = 400

// eventually checks until the condition holds, and fails at the deadline.
func eventually(t *testing.T, within time.Duration, what string, so func() bool) {
	t.Helper()
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	ticker := time.NewTicker(max(within/looks, 5*time.Millisecond))
	defer ticker.Stop()
	for !so() {
		select {
		case <-ticker.C:
		case <-deadline.C:
			t.Fatalf("not within %s: %s", within, what)
		}
	}
}

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

package harness

import (
	"testing"
	"time"
)

// Patience is how long a test waits for something that the server does at once
// on an idle machine.
const Patience = 30 * time.Second

const (
	// maxPolls bounds how often Eventually checks, so that a long wait costs little.
	maxPolls = 400
	minPause = 5 * time.Millisecond
)

// Eventually checks until the condition holds. It ends the test when the limit
// has passed.
func Eventually(tb testing.TB, limit time.Duration, what string, holds func() bool) {
	tb.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	ticker := time.NewTicker(max(limit/maxPolls, minPause))
	defer ticker.Stop()
	for !holds() {
		select {
		case <-ticker.C:
		case <-deadline.C:
			tb.Fatalf("not within %s: %s", limit, what)
		}
	}
}

package harness

import (
	"testing"
	"time"
)

// WaitTimeout bounds the wait for something that takes the server a moment. It is
// long because a machine that runs many tests is slow.
const WaitTimeout = 30 * time.Second

const (
	// maxPolls bounds the number of checks of Eventually.
	maxPolls    = 400
	minInterval = 5 * time.Millisecond
)

// Eventually waits until the condition is true. It fails the test if that takes
// longer than the limit; what describes the condition.
func Eventually(tb testing.TB, limit time.Duration, what string, condition func() bool) {
	tb.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	ticker := time.NewTicker(max(limit/maxPolls, minInterval))
	defer ticker.Stop()
	for !condition() {
		select {
		case <-ticker.C:
		case <-deadline.C:
			tb.Fatalf("not within %s: %s", limit, what)
		}
	}
}

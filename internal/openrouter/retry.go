package openrouter

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	maxRetries   = 2
	firstBackoff = 200 * time.Millisecond
	// longestWait bounds the wait before a retry. If upstream's Retry-After is
	// longer, the request fails.
	longestWait = 2 * time.Second
)

// retryWait reports whether to send the request again, and after which time. The
// first try is number 0.
func (f *failure) retryWait(try int) (time.Duration, bool) {
	after := f.upstream.RetryAfter
	if !f.retry || try >= maxRetries || after > longestWait {
		return 0, false
	}
	backoff := firstBackoff << try
	jitter := rand.N(backoff) //nolint:gosec // not for security
	return max(backoff, after) + jitter, true
}

func sleep(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

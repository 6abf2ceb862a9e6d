// Package ratelimit counts the requests of a client address in fixed windows
// of one minute and finds out which address a request comes from.
package ratelimit

import (
	"context"
	"net/netip"
	"time"
)

// Window is how long a window lasts. It begins with the first request of an
// address, not with the clock's minute, and refused requests do not extend it.
const Window = time.Minute

// Limiter decides whether a request of an address is allowed. A server without
// a limit has a nil Limiter.
type Limiter interface {
	// Allow counts one request of addr. An error means that the limiter could
	// not decide, as when a shared store is unreachable; the Decision is then
	// not valid.
	Allow(ctx context.Context, addr netip.Addr) (Decision, error)
}

// Decision is a Limiter's answer for one request.
type Decision struct {
	// Allowed is false when the request is over the limit.
	Allowed bool
	// Limit is the number of requests in a window.
	Limit int
	// Remaining is the number of requests that are left in this window.
	Remaining int
	// Reset is the time until the window ends, exact and above zero.
	Reset time.Duration
}

// ResetSeconds is Reset in whole seconds, rounded up, as the RateLimit-Reset
// (draft-ietf-httpapi-ratelimit-headers) and Retry-After (RFC 9110, section
// 10.2.3) headers want it: a client that waits so long is not refused again.
func (d Decision) ResetSeconds() int {
	return int((d.Reset + time.Second - 1) / time.Second)
}

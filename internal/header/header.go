// Package header names the response headers of this API that no standard has.
package header

// The response headers, as openapi.yaml documents them.
const (
	// RequestID is the id of the request in the server's log.
	RequestID = "X-Request-Id"
	// RunID is the id of the run that the request started.
	RunID = "X-Run-Id"
	// RateLimitLimit is how many requests an address may send in a minute.
	RateLimitLimit = "RateLimit-Limit"
	// RateLimitRemaining is how many of them are left.
	RateLimitRemaining = "RateLimit-Remaining"
	// RateLimitReset is in how many seconds all are available again.
	RateLimitReset = "RateLimit-Reset"
)

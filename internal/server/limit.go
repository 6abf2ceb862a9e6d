package server

import (
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/ratelimit"
	"github.com/chatkit-rest/chatkit-rest/internal/rest"
	"github.com/chatkit-rest/chatkit-rest/internal/telemetry"
)

// Headers that tell a caller where it stands.
const (
	limitHeader     = "RateLimit-Limit"
	remainingHeader = "RateLimit-Remaining"
	resetHeader     = "RateLimit-Reset"
	runIDHeader     = "X-Run-Id"
)

// limitRate counts the requests of an address under the API's prefix.
func limitRate(o Options) gin.HandlerFunc {
	return func(c *gin.Context) {
		if !isAPI(c) {
			return
		}
		decision, err := o.Limiter.Allow(c.Request.Context(), ratelimit.ClientAddr(c.Request, o.TrustedProxies))
		if err != nil {
			o.Logger.ErrorContext(c.Request.Context(), "the rate limit could not be checked", slog.Any("error", err))
			fail(c, http.StatusServiceUnavailable, api.ErrorCodeServiceUnavailable,
				"The rate limit cannot be checked; try again shortly.")
			return
		}
		reset := decision.ResetSeconds()
		header := c.Writer.Header()
		header.Set(limitHeader, strconv.Itoa(decision.Limit))
		header.Set(remainingHeader, strconv.Itoa(decision.Remaining))
		header.Set(resetHeader, strconv.Itoa(reset))
		if decision.Allowed {
			return
		}
		o.Metrics.Refused(telemetry.RateLimit)
		c.Abort()
		rest.WriteFailure(c.Writer, rest.Failure{
			Status: http.StatusTooManyRequests, Code: api.ErrorCodeRateLimitExceeded,
			Message: "This address has sent " + strconv.Itoa(decision.Limit) +
				" requests in a minute, the most allowed; wait as long as Retry-After says.",
			RetryAfter: time.Duration(reset) * time.Second,
		})
	}
}

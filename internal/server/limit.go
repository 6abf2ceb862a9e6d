package server

import (
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/header"
	"github.com/chatkit-rest/chatkit-rest/internal/problem"
	"github.com/chatkit-rest/chatkit-rest/internal/ratelimit"
	"github.com/chatkit-rest/chatkit-rest/internal/telemetry"
)

// limitRate counts the requests of an address under the API's prefix.
func limitRate(o Options) gin.HandlerFunc {
	return func(c *gin.Context) {
		if !isAPI(c) {
			return
		}
		decision, err := o.Limiter.Allow(c.Request.Context(), ratelimit.ClientAddress(c.Request, o.TrustedProxies))
		if err != nil {
			o.Logger.ErrorContext(c.Request.Context(), "the rate limit could not be checked", slog.Any("error", err))
			fail(c, http.StatusServiceUnavailable, api.ErrorCodeServiceUnavailable,
				"The rate limit cannot be checked; try again shortly.")
			return
		}
		reset := decision.ResetSeconds()
		headers := c.Writer.Header()
		headers.Set(header.RateLimitLimit, strconv.Itoa(decision.Limit))
		headers.Set(header.RateLimitRemaining, strconv.Itoa(decision.Remaining))
		headers.Set(header.RateLimitReset, strconv.Itoa(reset))
		if decision.Allowed {
			return
		}
		o.Metrics.Refused(telemetry.RateLimit)
		failWith(c, problem.Problem{
			Status: http.StatusTooManyRequests, Code: api.ErrorCodeRateLimitExceeded,
			Message: "This address has sent " + strconv.Itoa(decision.Limit) +
				" requests in a minute, the most allowed; wait as long as Retry-After says.",
			RetryAfter: time.Duration(reset) * time.Second,
		})
	}
}

package main

import (
	"context"
	"fmt"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/config"
	"github.com/chatkit-rest/chatkit-rest/internal/ratelimit"
)

// newLimiter makes the limiter that the settings ask for, nil for none: shared
// over all replicas with REDIS_URL, else in memory.
func (a *assembly) newLimiter(ctx context.Context, settings config.Settings) (ratelimit.Limiter, error) {
	switch {
	case settings.RateLimitPerMinute == 0:
		if settings.RedisURL.IsSet() {
			a.logger.WarnContext(ctx, "REDIS_URL is not used, because RATE_LIMIT_PER_MINUTE is 0")
		}
		return nil, nil //nolint:nilnil // no limiter is an answer here
	case !settings.RedisURL.IsSet():
		limiter, err := ratelimit.NewMemory(ratelimit.MemoryOptions{PerMinute: settings.RateLimitPerMinute})
		if err != nil {
			return nil, fmt.Errorf("RATE_LIMIT_PER_MINUTE: %w", err)
		}
		a.closers = append(a.closers, func() { _ = limiter.Close() })
		return limiter, nil
	}
	limiter, err := ratelimit.NewShared(ctx, ratelimit.SharedOptions{
		URL: settings.RedisURL.Reveal(), PerMinute: settings.RateLimitPerMinute, Logger: a.logger,
		Changed: a.metrics.SetRateLimitFallback,
	})
	if err != nil {
		return nil, fmt.Errorf("REDIS_URL, RATE_LIMIT_PER_MINUTE: %w", err)
	}
	a.closers = append(a.closers, func() { _ = limiter.Close() })
	a.shared = limiter
	return limiter, nil
}

// limitState is what /readyz tells of the rate limit.
func (a *assembly) limitState() api.RateLimitCheck {
	switch {
	case a.shared == nil:
		return ""
	case a.shared.Degraded():
		return api.RateLimitCheckDegraded
	default:
		return api.RateLimitCheckOK
	}
}

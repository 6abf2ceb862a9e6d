package main

import (
	"context"
	"fmt"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/config"
	"github.com/chatkit-rest/chatkit-rest/internal/ratelimit"
)

// newLimiter makes the rate limiter: shared by all replicas with REDIS_URL,
// otherwise in memory. It returns nil if RATE_LIMIT_PER_MINUTE is 0.
func (a *assembly) newLimiter(ctx context.Context, settings config.Settings) (ratelimit.Limiter, error) {
	switch {
	case settings.RateLimitPerMinute == 0:
		return nil, nil //nolint:nilnil // nil is a documented result
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
	a.sharedLimiter = limiter
	return limiter, nil
}

// rateLimitState returns the state of the rate limit in /readyz, empty if the
// limit is not shared.
func (a *assembly) rateLimitState() api.RateLimitCheck {
	switch {
	case a.sharedLimiter == nil:
		return ""
	case a.sharedLimiter.Degraded():
		return api.RateLimitCheckDegraded
	default:
		return api.RateLimitCheckOK
	}
}

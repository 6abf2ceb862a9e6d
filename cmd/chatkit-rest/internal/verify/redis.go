package verify

import (
	"context"
	"fmt"

	"github.com/chatkit-rest/chatkit-rest/internal/ratelimit"
)

// checkRedis counts a request in Redis.
func (c checker) checkRedis(ctx context.Context) (detail string, err error) {
	if err := ratelimit.CheckRedis(ctx, c.settings.RedisURL.Reveal()); err != nil {
		return "", fmt.Errorf("REDIS_URL: %w", err)
	}
	return "a test request was counted", nil
}

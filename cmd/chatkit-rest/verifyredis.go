package main

import (
	"context"
	"fmt"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
	"github.com/chatkit-rest/chatkit-rest/internal/ratelimit"
)

// verifyRedis counts a request in Redis.
func verifyRedis(ctx context.Context, settings config.Settings) (detail string, err error) {
	if err := ratelimit.CheckRedis(ctx, settings.RedisURL.Reveal()); err != nil {
		return "", fmt.Errorf("REDIS_URL: %w", err)
	}
	return "it answers and counts", nil
}

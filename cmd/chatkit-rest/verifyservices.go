package main

import (
	"context"
	"fmt"

	"github.com/chatkit-rest/chatkit-rest/internal/auth"
	"github.com/chatkit-rest/chatkit-rest/internal/config"
	"github.com/chatkit-rest/chatkit-rest/internal/ratelimit"
)

func verifyRedis(ctx context.Context, settings config.Settings) (detail string, err error) {
	if err := ratelimit.CheckRedis(ctx, settings.RedisURL.Reveal()); err != nil {
		return "", fmt.Errorf("REDIS_URL: %w", err)
	}
	return "it answers and counts", nil
}

// verifyIdentity tells the keys, so that they can be held against those that
// the identity server is known to have.
func verifyIdentity(ctx context.Context, settings config.Settings) (detail string, err error) {
	keys := auth.NewKeySet(auth.KeySetOptions{URL: settings.Identity.JWKSURL})
	defer keys.Close()
	found, err := keys.Fetch(ctx)
	if err != nil {
		return "", fmt.Errorf("JWKS_URL: %w", err)
	}
	return "keys: " + auth.Describe(found), nil
}

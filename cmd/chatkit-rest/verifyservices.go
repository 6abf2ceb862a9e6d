package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/chatkit-rest/chatkit-rest/internal/auth"
	"github.com/chatkit-rest/chatkit-rest/internal/config"
	"github.com/chatkit-rest/chatkit-rest/internal/ratelimit"
	"github.com/chatkit-rest/chatkit-rest/internal/telemetry"
)

func verifyRedis(ctx context.Context, settings config.Settings) (detail string, err error) {
	if err := ratelimit.CheckRedis(ctx, settings.RedisURL.Reveal()); err != nil {
		return "", fmt.Errorf("REDIS_URL: %w", err)
	}
	return "it answers and counts", nil
}

// verifyTraces sends the collector nothing, and tells what OpenTelemetry's
// variables ask for in vain.
func verifyTraces(ctx context.Context, settings config.Settings) (detail string, err error) {
	detail = "off"
	if settings.Tracing.Endpoint != "" {
		detail = "the collector takes them"
		if err := telemetry.CheckCollector(ctx, tracingOptions(settings.Tracing, nil)); err != nil {
			return "", fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
		}
	}
	if unread := settings.Tracing.Unread; len(unread) > 0 {
		detail += "; set, but not acted on: " + strings.Join(unread, ", ")
	}
	return detail, nil
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

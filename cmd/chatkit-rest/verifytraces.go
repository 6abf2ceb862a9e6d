package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
	"github.com/chatkit-rest/chatkit-rest/internal/telemetry"
)

// verifyTraces checks that the collector accepts a batch without spans, and names
// OpenTelemetry's variables that are set and not supported.
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

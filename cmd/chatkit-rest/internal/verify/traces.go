package verify

import (
	"context"
	"fmt"
	"strings"

	"github.com/chatkit-rest/chatkit-rest/cmd/chatkit-rest/internal/adapters"
	"github.com/chatkit-rest/chatkit-rest/internal/telemetry"
)

// checkTraces checks that the collector accepts a batch without spans, and names
// OpenTelemetry's variables that are set and not supported.
func (c checker) checkTraces(ctx context.Context) (detail string, err error) {
	detail = "off"
	if c.settings.Tracing.Endpoint != "" {
		detail = "the collector accepts them"
		if err := telemetry.CheckCollector(ctx, adapters.TracingOptions(c.settings.Tracing, c.version, nil)); err != nil {
			return "", fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
		}
	}
	if unread := c.settings.Tracing.Unread; len(unread) > 0 {
		detail += "; set, but not supported: " + strings.Join(unread, ", ")
	}
	return detail, nil
}

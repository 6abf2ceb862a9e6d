package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/chatkit-rest/chatkit-rest/cmd/chatkit-rest/internal/adapters"
	"github.com/chatkit-rest/chatkit-rest/internal/config"
	"github.com/chatkit-rest/chatkit-rest/internal/telemetry"
)

// startTelemetry sets up the metrics and traces of the settings.
func (a *assembly) startTelemetry(ctx context.Context, settings config.Settings) error {
	if settings.MetricsAddr != "" {
		a.metrics = telemetry.NewMetrics(telemetry.MetricsOptions{
			Version: version, Model: settings.OpenRouterModel, Pools: a.db.Pools(),
		})
	}
	if unread := settings.Tracing.Unread; len(unread) > 0 {
		a.logger.WarnContext(ctx, "OpenTelemetry variables are set that this server does not support; it ignores them",
			"names", strings.Join(unread, ", "))
	}
	if settings.Tracing.Endpoint == "" {
		return nil
	}
	var err error
	a.tracing, err = telemetry.NewTracing(ctx, adapters.TracingOptions(settings.Tracing, version, a.logger))
	if err != nil {
		return fmt.Errorf("start tracing to OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
	}
	a.closers = append(a.closers, func() {
		if err := a.tracing.Close(context.WithoutCancel(ctx)); err != nil {
			a.logger.WarnContext(ctx, "the last spans were not sent", "error", err)
		}
	})
	return nil
}

// serveMetrics serves /metrics on a separate listener until the assembly is
// closed, so that the metrics can be read while the server stops.
func (a *assembly) serveMetrics(ctx context.Context, address string) error {
	if a.metrics == nil {
		return nil
	}
	listener, err := listen(ctx, metricsSetting, address)
	if err != nil {
		return err
	}
	metricsServer := a.metrics.NewServer(a.logger)
	a.closers = append(a.closers, func() { _ = metricsServer.Close() })
	go func() {
		if err := metricsServer.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			a.logger.ErrorContext(ctx, "the metrics are no longer served", "error", err)
		}
	}()
	a.logger.InfoContext(ctx, "serving metrics", "address", listener.Addr().String())
	return nil
}

package adapters

import (
	"log/slog"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
	"github.com/chatkit-rest/chatkit-rest/internal/telemetry"
)

// TracingOptions converts the settings of tracing, and reveals their secrets. Spans
// name the version of this program.
func TracingOptions(settings config.Tracing, version string, logger *slog.Logger) telemetry.TracingOptions {
	headers := make(map[string]string, len(settings.Headers))
	for name, value := range settings.Headers {
		headers[name] = value.Reveal()
	}
	return telemetry.TracingOptions{
		Endpoint: settings.Endpoint, Headers: headers, Gzip: settings.Gzip, Timeout: settings.Timeout,
		Ratio: settings.Sampler.Ratio, ParentBased: settings.Sampler.ParentBased,
		Authorities: settings.Authorities, Client: settings.Client,
		QueueSize: settings.Queue.Size, BatchSize: settings.Queue.Batch, BatchDelay: settings.Queue.Delay,
		ServiceName: settings.ServiceName, Version: version, Resource: settings.Resource, Logger: logger,
	}
}

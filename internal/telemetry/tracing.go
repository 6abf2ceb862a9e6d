package telemetry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const (
	// scope is the name of the instrumentation scope.
	scope = "github.com/chatkit-rest/chatkit-rest"
	// flushTimeout bounds the sending of the last spans at shutdown.
	flushTimeout = 3 * time.Second
	// warningInterval is the minimum time between two warnings.
	warningInterval = time.Minute
)

// Tracing records spans of requests, their store operations, runs and requests to the
// model, and sends them to an OTLP collector. No span has text of messages, a token, a
// user or the text of an error. A nil Tracing does nothing.
type Tracing struct {
	tracer   trace.Tracer
	provider *sdktrace.TracerProvider
}

// TracingOptions are the options of a Tracing. All except Headers, Gzip, Authorities,
// Client and Resource are required.
type TracingOptions struct {
	// Endpoint is the URL that batches are posted to.
	Endpoint string
	Headers  map[string]string
	Gzip     bool
	// Timeout bounds the sending of a batch.
	Timeout time.Duration
	// Authorities may sign the collector's certificate; nil means the system's.
	// Client is the client certificate; nil means none.
	Authorities *x509.CertPool
	Client      *tls.Certificate
	// QueueSize is the maximum number of waiting spans, BatchSize that of spans in
	// a batch, and BatchDelay the time between two batches.
	QueueSize  int
	BatchSize  int
	BatchDelay time.Duration
	// Ratio is the fraction of traces that is recorded. With ParentBased a
	// trusted caller's decision takes precedence.
	Ratio       float64
	ParentBased bool
	// ServiceName, Version and Resource describe the server.
	ServiceName string
	Version     string
	Resource    map[string]string
	Logger      *slog.Logger
}

// NewTracing returns a Tracing that sends spans in the background until Close.
func NewTracing(ctx context.Context, o TracingOptions) (*Tracing, error) {
	exporter, err := otlptrace.New(ctx, newCollector(o))
	if err != nil {
		return nil, err
	}
	otel.SetErrorHandler(&exportWarnings{logger: o.Logger})
	otel.SetLogger(logr.Discard()) // By default it writes to stderr.
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter, sdktrace.WithExportTimeout(o.Timeout), sdktrace.WithMaxQueueSize(o.QueueSize),
			sdktrace.WithMaxExportBatchSize(o.BatchSize), sdktrace.WithBatchTimeout(o.BatchDelay)),
		sdktrace.WithRawSpanLimits(spanLimits()),
		sdktrace.WithResource(resource.NewSchemaless(resourceAttributes(o)...)),
		sdktrace.WithSampler(sampler(o)),
	)
	return &Tracing{provider: provider, tracer: provider.Tracer(scope, trace.WithInstrumentationVersion(o.Version))}, nil
}

// Close sends the remaining spans, for at most flushTimeout.
func (t *Tracing) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	return t.provider.Shutdown(ctx)
}

// spanLimits returns the library's defaults. Without them the library would read
// environment variables that the settings do not check.
func spanLimits() sdktrace.SpanLimits {
	return sdktrace.SpanLimits{
		AttributeValueLengthLimit:   sdktrace.DefaultAttributeValueLengthLimit,
		AttributeValueDepthLimit:    sdktrace.DefaultAttributeValueDepthLimit,
		AttributeCountLimit:         sdktrace.DefaultAttributeCountLimit,
		EventCountLimit:             sdktrace.DefaultEventCountLimit,
		LinkCountLimit:              sdktrace.DefaultLinkCountLimit,
		AttributePerEventCountLimit: sdktrace.DefaultAttributePerEventCountLimit,
		AttributePerLinkCountLimit:  sdktrace.DefaultAttributePerLinkCountLimit,
	}
}

// resourceAttributes describe the program. They do not include its arguments and host,
// which may be confidential.
func resourceAttributes(o TracingOptions) []attribute.KeyValue {
	attributes := make([]attribute.KeyValue, 0, len(o.Resource)+2)
	for _, name := range slices.Sorted(maps.Keys(o.Resource)) {
		attributes = append(attributes, attribute.String(name, o.Resource[name]))
	}
	return append(attributes, attribute.String("service.name", o.ServiceName), attribute.String("service.version", o.Version))
}

func sampler(o TracingOptions) sdktrace.Sampler {
	root := sdktrace.TraceIDRatioBased(o.Ratio) // 1 is all of them, 0 none
	if o.ParentBased {
		return sdktrace.ParentBased(root)
	}
	return root
}

// exportWarnings logs the errors of the library, at most one in a warningInterval.
type exportWarnings struct {
	logger *slog.Logger
	last   atomic.Int64
}

// Handle implements [otel.ErrorHandler].
func (c *exportWarnings) Handle(err error) {
	now := time.Now().UnixNano()
	last := c.last.Load()
	if last != 0 && now-last < int64(warningInterval) || !c.last.CompareAndSwap(last, now) {
		return
	}
	c.logger.Warn("traces cannot be sent to OTEL_EXPORTER_OTLP_ENDPOINT; spans that do not fit in the queue are dropped",
		"error", err)
}

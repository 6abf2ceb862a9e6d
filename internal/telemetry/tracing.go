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
	// scope names this program's spans among those of libraries.
	scope = "github.com/chatkit-rest/chatkit-rest"
	// flushTimeout is how long the last spans may take to leave at the end.
	flushTimeout = 3 * time.Second
	// complaintEvery is how often a collector out of reach is worth a line.
	complaintEvery = time.Minute
)

// Tracing makes spans of requests, of what they do in the store and upstream,
// and of runs, and sends them to an OTLP collector. No span holds a text, a
// token, a user or an error's words. A nil Tracing makes none, at no cost.
type Tracing struct {
	tracer   trace.Tracer
	provider *sdktrace.TracerProvider
}

// TracingOptions say where spans go and which. All but Headers, Gzip,
// Authorities, Client and Resource are required.
type TracingOptions struct {
	// Endpoint is the URL that batches are posted to.
	Endpoint string
	Headers  map[string]string
	Gzip     bool
	// Timeout bounds the sending of a batch.
	Timeout time.Duration
	// Authorities are whom the collector's certificate may be of; nil: the
	// system's. Client is what it is shown; nil: nothing.
	Authorities *x509.CertPool
	Client      *tls.Certificate
	// QueueSize is how many spans may wait, BatchSize how many are sent at
	// once, and BatchDelay how often.
	QueueSize  int
	BatchSize  int
	BatchDelay time.Duration
	// Ratio is the part of the traces that is recorded. ParentBased lets the
	// caller's decision stand, where there is one.
	Ratio       float64
	ParentBased bool
	// ServiceName, Version and Resource describe the server.
	ServiceName string
	Version     string
	Resource    map[string]string
	Logger      *slog.Logger
}

// NewTracing returns a Tracing that sends in the background until Close.
func NewTracing(ctx context.Context, o TracingOptions) (*Tracing, error) {
	exporter, err := otlptrace.New(ctx, newCollector(o))
	if err != nil {
		return nil, err
	}
	otel.SetErrorHandler(&complaints{logger: o.Logger})
	otel.SetLogger(logr.Discard()) // It would write to the standard error itself.
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter, sdktrace.WithExportTimeout(o.Timeout), sdktrace.WithMaxQueueSize(o.QueueSize),
			sdktrace.WithMaxExportBatchSize(o.BatchSize), sdktrace.WithBatchTimeout(o.BatchDelay)),
		sdktrace.WithRawSpanLimits(spanLimits()),
		sdktrace.WithResource(resource.NewSchemaless(describe(o)...)),
		sdktrace.WithSampler(sampler(o)),
	)
	return &Tracing{provider: provider, tracer: provider.Tracer(scope, trace.WithInstrumentationVersion(o.Version))}, nil
}

// Close sends what is left, for a few seconds at most.
func (t *Tracing) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	return t.provider.Shutdown(ctx)
}

// spanLimits are the library's own. It would else read them from variables
// that nobody has checked, and spans here are far below them.
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

// describe tells of the program alone: a process's own arguments and host may
// hold what no collector should see.
func describe(o TracingOptions) []attribute.KeyValue {
	about := make([]attribute.KeyValue, 0, len(o.Resource)+2)
	for _, name := range slices.Sorted(maps.Keys(o.Resource)) {
		about = append(about, attribute.String(name, o.Resource[name]))
	}
	return append(about, attribute.String("service.name", o.ServiceName), attribute.String("service.version", o.Version))
}

func sampler(o TracingOptions) sdktrace.Sampler {
	root := sdktrace.TraceIDRatioBased(o.Ratio) // 1 is all of them, 0 none
	if o.ParentBased {
		return sdktrace.ParentBased(root)
	}
	return root
}

// complaints logs what the library cannot do, now and then: a collector that
// is away would fill the log.
type complaints struct {
	logger *slog.Logger
	last   atomic.Int64
}

// Handle implements [otel.ErrorHandler].
func (c *complaints) Handle(err error) {
	now := time.Now().UnixNano()
	last := c.last.Load()
	if last != 0 && now-last < int64(complaintEvery) || !c.last.CompareAndSwap(last, now) {
		return
	}
	c.logger.Warn("traces cannot be sent to OTEL_EXPORTER_OTLP_ENDPOINT; what does not fit the queue is dropped",
		"error", err)
}

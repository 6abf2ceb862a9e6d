// Package telemetry has the structured log, whose lines have the id of their request,
// the metrics for Prometheus, and the traces over OTLP.
package telemetry

import (
	"context"
	"io"
	"log/slog"

	"go.opentelemetry.io/otel/trace"
)

type requestIDKey struct{}

// WithRequestID returns a context whose log lines have the id of the request.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestID returns the id of the request of ctx, or "".
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// Detach returns a context that does not end with the request of ctx, and has the
// request's id and span.
func Detach(ctx context.Context) context.Context {
	detached := WithRequestID(context.Background(), RequestID(ctx))
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		detached = trace.ContextWithSpanContext(detached, span)
	}
	return detached
}

// NewLogger returns a logger that writes records of at least the level to w, as JSON
// or as text.
func NewLogger(w io.Writer, level slog.Leveler, json bool) *slog.Logger {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: inMilliseconds}
	if json {
		return slog.New(contextHandler{slog.NewJSONHandler(w, options)})
	}
	return slog.New(contextHandler{slog.NewTextHandler(w, options)})
}

// inMilliseconds converts durations to milliseconds and adds the unit to their name.
// The handlers would write nanoseconds or a text.
func inMilliseconds(_ []string, attr slog.Attr) slog.Attr {
	if attr.Value.Kind() != slog.KindDuration {
		return attr
	}
	return slog.Float64(attr.Key+"_ms", float64(attr.Value.Duration().Microseconds())/1000)
}

// contextHandler adds the ids of the request and of the trace to each line.
type contextHandler struct{ slog.Handler }

func (h contextHandler) Handle(ctx context.Context, record slog.Record) error {
	if id := RequestID(ctx); id != "" {
		record.AddAttrs(slog.String("request", id))
	}
	if span := trace.SpanContextFromContext(ctx); span.IsSampled() {
		record.AddAttrs(slog.String("trace", span.TraceID().String()))
	}
	return h.Handler.Handle(ctx, record)
}

func (h contextHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return contextHandler{h.Handler.WithAttrs(attrs)}
}

func (h contextHandler) WithGroup(name string) slog.Handler {
	return contextHandler{h.Handler.WithGroup(name)}
}

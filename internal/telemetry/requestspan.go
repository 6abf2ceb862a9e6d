package telemetry

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Span is a span, or nothing if traces are off.
type Span struct{ span trace.Span }

// StartRequest starts the span of a request to a route; "" is no route. With a trusted
// caller, the span in the request's traceparent is the parent. With any other caller it
// is a link, so that a client can neither add to a trace nor cause one to be recorded.
func (t *Tracing) StartRequest(r *http.Request, route string, trusted bool) (context.Context, Span) {
	if t == nil {
		return r.Context(), Span{}
	}
	method := foldMethod(r.Method)
	ctx := r.Context()
	name := method
	options := []trace.SpanStartOption{
		trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String("http.request.method", method), attribute.String("chatkit.request.id", RequestID(ctx))),
	}
	if route != "" {
		name += " " + route
		options = append(options, trace.WithAttributes(attribute.String("http.route", route)))
	}
	caller := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), propagation.HeaderCarrier(r.Header)))
	switch {
	case !caller.IsValid():
	case trusted:
		ctx = trace.ContextWithRemoteSpanContext(ctx, caller)
	default:
		options = append(options, trace.WithLinks(trace.Link{SpanContext: caller.WithTraceState(trace.TraceState{})}))
	}
	ctx, span := t.tracer.Start(ctx, name, options...) //nolint:spancheck // EndRequest ends it
	return ctx, Span{span}                             //nolint:spancheck // the same
}

// foldMethod returns the method, or one value for all unknown methods.
func foldMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return method
	default:
		return "_OTHER"
	}
}

// EndRequest ends the span of a request with the status of its response.
func (s Span) EndRequest(status int) {
	if s.span == nil {
		return
	}
	s.span.SetAttributes(attribute.Int("http.response.status_code", status))
	if status >= http.StatusInternalServerError {
		s.span.SetStatus(codes.Error, "")
	}
	s.span.End()
}

// StartValidation starts the span of the validation of a request.
func (t *Tracing) StartValidation(ctx context.Context) Span {
	if t == nil {
		return Span{}
	}
	_, span := t.tracer.Start(ctx, "validate request") //nolint:spancheck // EndValidation ends it
	return Span{span}                                  //nolint:spancheck // the same
}

// EndValidation ends the span of a validation; ok reports whether the request is valid.
func (s Span) EndValidation(ok bool) {
	if s.span == nil {
		return
	}
	s.span.SetAttributes(attribute.Bool("chatkit.request.valid", ok))
	s.span.End()
}

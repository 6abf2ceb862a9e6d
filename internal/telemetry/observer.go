package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// Runs returns an observer that records runs in the metrics and as spans. Both metrics
// and tracing may be nil.
func Runs(metrics *Metrics, tracing *Tracing) chat.Observer { return observer{metrics, tracing} }

type observer struct {
	metrics *Metrics
	tracing *Tracing
}

// RunStarted implements [chat.Observer]. The run's span is a child of the span in ctx,
// which is that of the request.
func (o observer) RunStarted(ctx context.Context, run chat.Run) context.Context {
	o.metrics.runStarted()
	if o.tracing == nil {
		return ctx
	}
	ctx = withConversation(ctx, run.SessionID.String())
	ctx, _ = o.tracing.tracer.Start(ctx, "run", trace.WithTimestamp(run.StartedAt), trace.WithAttributes( //nolint:spancheck // RunEnded ends it
		attribute.String("chatkit.run.id", run.ID.String()), attribute.String("chatkit.session.id", run.SessionID.String()),
		attribute.String("gen_ai.conversation.id", run.SessionID.String())))
	return ctx
}

// RunEnded implements [chat.Observer].
func (o observer) RunEnded(ctx context.Context, run chat.Run) {
	o.metrics.runEnded(run)
	if o.tracing == nil {
		return
	}
	span := trace.SpanFromContext(ctx)
	if !run.FirstTokenAt.IsZero() {
		span.AddEvent("first token", trace.WithTimestamp(run.FirstTokenAt))
	}
	span.SetAttributes(attribute.String("chatkit.run.outcome", string(run.Status)))
	if run.FailureCode != "" {
		span.SetAttributes(attribute.String("error.type", string(run.FailureCode)))
	}
	if run.Status == chat.RunFailed {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

// TitleAsked implements [chat.Observer].
func (o observer) TitleAsked(_ context.Context, model string, usage chat.Usage) {
	if o.metrics != nil {
		o.metrics.countUsage(model, usage)
	}
}

package telemetry

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// maxToolNames is how many tools the metrics tell apart; all further ones are
// counted as other, for a server of tools may have new ones each time.
const maxToolNames = 200

// Outcomes of calls of tools.
const (
	toolOK     = "ok"
	toolFailed = "failed"
)

// toolMetrics count calls of tools.
type toolMetrics struct {
	calls    *prometheus.CounterVec
	duration *prometheus.HistogramVec
	names    *modelNames
}

func (m *Metrics) registerTools() {
	m.tools = toolMetrics{
		calls: m.counterVec("chatkit_tool_calls_total",
			"Calls of tools that ended, by tool (as the model calls it: server__tool; other: no such tool, or one too many to tell apart) and outcome: ok or failed.",
			"tool", "outcome"),
		duration: m.histogramVec("chatkit_tool_call_duration_seconds", "How long calls of tools took.", durationBuckets(), "tool"),
		names:    newBoundedNames(maxToolNames),
	}
	m.tools.duration.WithLabelValues(otherModel)
	for _, outcome := range []string{toolOK, toolFailed} {
		m.tools.calls.WithLabelValues(otherModel, outcome)
	}
}

// toolCalled counts a call of an offered tool, or of none.
func (m *Metrics) toolCalled(tool string, result chat.ToolResult, took time.Duration) {
	if m == nil {
		return
	}
	outcome := toolOK
	if result.Failed {
		outcome = toolFailed
	}
	label := otherModel
	if tool != "" {
		label = m.tools.names.label(tool)
	}
	m.tools.calls.WithLabelValues(label, outcome).Inc()
	m.tools.duration.WithLabelValues(label).Observe(took.Seconds())
}

// Tools returns the toolbox with its calls counted, and a span for each, as far
// as there are metrics and tracing; both may be nil.
func Tools(metrics *Metrics, tracing *Tracing, toolbox chat.Toolbox) chat.Toolbox {
	if metrics == nil && tracing == nil {
		return toolbox
	}
	return watchedTools{toolbox, metrics, tracing}
}

type watchedTools struct {
	chat.Toolbox

	metrics *Metrics
	tracing *Tracing
}

// Call implements [chat.Toolbox]. Neither the metrics nor the span has a name
// that the model made up, or any word of the call.
func (w watchedTools) Call(ctx context.Context, use chat.ToolUse) chat.ToolResult {
	name := ""
	for _, tool := range w.Tools(ctx) {
		if tool.Name == use.Name {
			name = use.Name
		}
	}
	if w.tracing != nil {
		var span trace.Span
		ctx, span = w.tracing.tracer.Start(ctx, "execute_tool "+name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
			attribute.String("gen_ai.operation.name", "execute_tool"), attribute.String("gen_ai.tool.name", name)))
		defer span.End()
	}
	began := time.Now()
	result := w.Toolbox.Call(ctx, use)
	w.metrics.toolCalled(name, result, time.Since(began))
	if result.Failed && w.tracing != nil {
		trace.SpanFromContext(ctx).SetStatus(codes.Error, "")
	}
	return result
}

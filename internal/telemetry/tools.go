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

// maxToolNames is the number of tools with their own label values. Further ones have
// the value other, since a server may offer other tools each time.
const maxToolNames = 200

// The outcomes of tool calls.
const (
	toolOK     = "ok"
	toolFailed = "failed"
)

// toolMetrics are the metrics of tool calls.
type toolMetrics struct {
	calls    *prometheus.CounterVec
	duration *prometheus.HistogramVec
	names    *boundedNames
}

func (m *Metrics) registerTools() {
	m.tools = toolMetrics{
		calls: m.counterVec("chatkit_tool_calls_total",
			"Ended tool calls, by tool (server__tool; other: an unknown tool, or one of those after the first 200) and outcome: ok or failed.",
			"tool", "outcome"),
		duration: m.histogramVec("chatkit_tool_call_duration_seconds", "Duration of tool calls.", durationBuckets(), "tool"),
		names:    newBoundedNames(maxToolNames),
	}
	m.tools.duration.WithLabelValues(otherName)
	for _, outcome := range []string{toolOK, toolFailed} {
		m.tools.calls.WithLabelValues(otherName, outcome)
	}
}

// toolCalled counts a call. The tool is "" if it is not offered.
func (m *Metrics) toolCalled(tool string, result chat.ToolResult, took time.Duration) {
	if m == nil {
		return
	}
	outcome := toolOK
	if result.Failed {
		outcome = toolFailed
	}
	label := otherName
	if tool != "" {
		label = m.tools.names.label(tool)
	}
	m.tools.calls.WithLabelValues(label, outcome).Inc()
	m.tools.duration.WithLabelValues(label).Observe(took.Seconds())
}

// Tools wraps a toolbox with metrics and a span for each call. Both metrics and tracing
// may be nil.
func Tools(metrics *Metrics, tracing *Tracing, toolbox chat.Toolbox) chat.Toolbox {
	if metrics == nil && tracing == nil {
		return toolbox
	}
	return observedTools{toolbox, metrics, tracing}
}

type observedTools struct {
	chat.Toolbox

	metrics *Metrics
	tracing *Tracing
}

// Call implements [chat.Toolbox]. Neither the metrics nor the span has the name of a
// tool that is not offered, or text of the call.
func (o observedTools) Call(ctx context.Context, use chat.ToolUse) chat.ToolResult {
	name := ""
	for _, tool := range o.Tools(ctx) {
		if tool.Name == use.Name {
			name = use.Name
		}
	}
	if o.tracing != nil {
		var span trace.Span
		ctx, span = o.tracing.tracer.Start(ctx, "execute_tool "+name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
			attribute.String("gen_ai.operation.name", "execute_tool"), attribute.String("gen_ai.tool.name", name)))
		defer span.End()
	}
	start := time.Now()
	result := o.Toolbox.Call(ctx, use)
	o.metrics.toolCalled(name, result, time.Since(start))
	if result.Failed && o.tracing != nil {
		trace.SpanFromContext(ctx).SetStatus(codes.Error, "")
	}
	return result
}

package telemetry

import (
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// genAIMetrics are the client metrics of OpenTelemetry's conventions for generative
// AI, with their Prometheus names.
type genAIMetrics struct {
	tokenUsage        *prometheus.HistogramVec
	operationDuration *prometheus.HistogramVec
}

func (m *Metrics) registerGenAI() {
	labels := []string{
		"gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "gen_ai_response_model",
		"server_address", "server_port",
	}
	m.genAI.tokenUsage = m.histogramVec("gen_ai_client_token_usage",
		"Tokens of a request to the model, by gen_ai_token_type: input or output.",
		tokenBuckets(), append(labels, "gen_ai_token_type")...)
	m.genAI.operationDuration = m.histogramVec("gen_ai_client_operation_duration_seconds",
		"Duration of a request to the model until the last byte of the answer; error_type is empty if it succeeded.",
		operationBuckets(), append(labels, "error_type")...)
}

// tokenBuckets returns the buckets that the conventions recommend, the powers of four.
func tokenBuckets() []float64 { return prometheus.ExponentialBuckets(1, 4, 14) }

// operationBuckets returns the buckets that the conventions recommend, from 0.01 to
// 81.92.
func operationBuckets() []float64 { return prometheus.ExponentialBuckets(.01, 2, 14) }

// modelCalled records a request to the model that has ended.
func (m *Metrics) modelCalled(call modelCall) {
	if m == nil {
		return
	}
	host, port := call.upstream.address()
	response := ""
	if call.responseModel != "" {
		response = m.models.label(call.responseModel)
	}
	labels := []string{
		chatOperation, call.upstream.provider(), m.models.label(call.requestModel), response, host, strconv.Itoa(port),
	}
	observe := func(histogram *prometheus.HistogramVec, label string, value float64) {
		histogram.WithLabelValues(append(slices.Clip(labels), label)...).Observe(value)
	}
	observe(m.genAI.operationDuration, call.errorType, time.Since(call.started).Seconds())
	if call.usage.InputTokens > 0 {
		observe(m.genAI.tokenUsage, "input", float64(call.usage.InputTokens))
	}
	if call.usage.OutputTokens > 0 {
		observe(m.genAI.tokenUsage, "output", float64(call.usage.OutputTokens))
	}
}

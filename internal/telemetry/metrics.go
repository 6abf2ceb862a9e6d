package telemetry

import (
	"database/sql"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// The reasons of a response of 429.
const (
	RateLimit    = "rate_limit"
	SessionLimit = "session_limit"
)

// Metrics are the metrics for Prometheus. No label has text from a request, which could
// create any number of series, or a user. A nil Metrics does nothing.
type Metrics struct {
	registry *prometheus.Registry

	requests        *prometheus.CounterVec
	requestDuration *prometheus.HistogramVec
	refused         *prometheus.CounterVec
	liveStreams     prometheus.Gauge

	runs           *prometheus.CounterVec
	liveRuns       prometheus.Gauge
	runDuration    prometheus.Histogram
	firstToken     prometheus.Histogram
	upstreamErrors *prometheus.CounterVec
	tokens         *prometheus.CounterVec
	cost           *prometheus.CounterVec
	models         *boundedNames
	tools          toolMetrics
	genAI          genAIMetrics

	rateLimitFallback prometheus.Gauge
}

// MetricsOptions describe the server.
type MetricsOptions struct {
	// Version is the version of the program.
	Version string
	// Model is the default model.
	Model string
	// Pools are the connection pools of the database by name.
	Pools map[string]*sql.DB
}

// NewMetrics returns new metrics.
func NewMetrics(o MetricsOptions) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), models: newModelNames(o.Model)}
	m.registerRequests()
	m.registerRuns()
	m.registerUsage(o.Model)
	m.registerGenAI()
	m.registerTools()
	m.rateLimitFallback = m.gauge("chatkit_rate_limit_fallback",
		"1 while Redis is unavailable and each replica counts requests by itself, otherwise 0.")
	info := m.gaugeVec("chatkit_build_info", "Always 1; the labels have the versions of the program and of Go.", "version", "go_version")
	info.WithLabelValues(o.Version, runtime.Version()).Set(1)
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, name := range slices.Sorted(maps.Keys(o.Pools)) {
		m.registry.MustRegister(collectors.NewDBStatsCollector(o.Pools[name], name))
	}
	return m
}

func (m *Metrics) registerRequests() {
	m.requests = m.counterVec("chatkit_http_requests_total",
		"Answered requests, by operationId of the OpenAPI document (page: an HTML page; none: no such path or method) and status; "+
			"499: the client disconnected before the response.", "operation", "status")
	m.requestDuration = m.histogramVec("chatkit_http_request_duration_seconds",
		"Duration of requests until the last byte; for createRun and followRun that includes the whole answer.", durationBuckets(), "operation")
	m.refused = m.counterVec("chatkit_http_refused_total",
		"Requests answered with 429, by reason: rate_limit (too many requests from the address) or session_limit (too many sessions of the user).",
		"reason")
	for _, reason := range []string{RateLimit, SessionLimit} {
		m.refused.WithLabelValues(reason)
	}
	m.liveStreams = m.gauge("chatkit_live_streams", "Open requests for an answer, which wait for the model or stream.")
}

// durationBuckets returns buckets from the duration of a query to that of a long
// answer.
func durationBuckets() []float64 {
	return []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300}
}

func (m *Metrics) counterVec(name, help string, labels ...string) *prometheus.CounterVec {
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(vec)
	return vec
}

func (m *Metrics) gaugeVec(name, help string, labels ...string) *prometheus.GaugeVec {
	vec := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(vec)
	return vec
}

func (m *Metrics) gauge(name, help string) prometheus.Gauge {
	return m.gaugeVec(name, help).WithLabelValues()
}

func (m *Metrics) histogramVec(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	vec := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	m.registry.MustRegister(vec)
	return vec
}

func (m *Metrics) histogram(name, help string, buckets []float64) prometheus.Histogram {
	histogram := prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
	m.registry.MustRegister(histogram)
	return histogram
}

// Request counts an answered request. The operation is an operationId of the document,
// or one of a few names for other requests.
func (m *Metrics) Request(operation string, status int, took time.Duration) {
	if m == nil {
		return
	}
	m.requests.WithLabelValues(operation, strconv.Itoa(status)).Inc()
	m.requestDuration.WithLabelValues(operation).Observe(took.Seconds())
}

// Refused counts a response of 429.
func (m *Metrics) Refused(reason string) {
	if m == nil {
		return
	}
	m.refused.WithLabelValues(reason).Inc()
}

// LiveStreams changes the number of live streams.
func (m *Metrics) LiveStreams(change int) {
	if m == nil {
		return
	}
	m.liveStreams.Add(float64(change))
}

// SetRateLimitFallback sets whether each replica counts requests by itself because
// Redis is unavailable.
func (m *Metrics) SetRateLimitFallback(fallback bool) {
	if m == nil {
		return
	}
	value := 0.0
	if fallback {
		value = 1
	}
	m.rateLimitFallback.Set(value)
}

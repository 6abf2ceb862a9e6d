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

// Why a request was answered with 429.
const (
	RateLimit    = "rate_limit"
	SessionLimit = "session_limit"
)

// Metrics count what the server does, for Prometheus. No label holds what a
// caller wrote, so that nobody can make the series grow, and none holds a
// user. A nil Metrics counts nothing, at no cost.
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
	models         *modelNames
	tools          toolMetrics
	genAI          genAIMetrics

	rateLimitFallback prometheus.Gauge
}

// MetricsOptions are what Metrics need to know of the server.
type MetricsOptions struct {
	// Version is the program's.
	Version string
	// Model is the one that is asked.
	Model string
	// Pools are the database's connections, by what they are for.
	Pools map[string]*sql.DB
}

// NewMetrics returns metrics of which none has counted yet.
func NewMetrics(o MetricsOptions) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), models: newModelNames(o.Model)}
	m.registerRequests()
	m.registerRuns()
	m.registerUsage(o.Model)
	m.registerGenAI()
	m.registerTools()
	m.rateLimitFallback = m.gauge("chatkit_rate_limit_fallback",
		"1 while the shared rate limit is out of reach and each replica counts for itself, else 0.")
	info := m.gaugeVec("chatkit_build_info", "Always 1; the labels say which build this is.", "version", "go_version")
	info.WithLabelValues(o.Version, runtime.Version()).Set(1)
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, name := range slices.Sorted(maps.Keys(o.Pools)) {
		m.registry.MustRegister(collectors.NewDBStatsCollector(o.Pools[name], name))
	}
	return m
}

func (m *Metrics) registerRequests() {
	m.requests = m.counterVec("chatkit_http_requests_total",
		"Requests that were answered, by the document's operationId (page: a page for people; none: no such path or method) and status; "+
			"499: the client left before the answer.", "operation", "status")
	m.requestDuration = m.histogramVec("chatkit_http_request_duration_seconds",
		"How long requests took to their last byte; for createRun that is the whole answer.", durationBuckets(), "operation")
	m.refused = m.counterVec("chatkit_http_refused_total",
		"Requests answered with 429, by reason: rate_limit (the address sent too many) or session_limit (the user has too many sessions).",
		"reason")
	for _, reason := range []string{RateLimit, SessionLimit} {
		m.refused.WithLabelValues(reason)
	}
	m.liveStreams = m.gauge("chatkit_live_streams", "Requests for an answer that are open now: they wait for the model, or stream.")
}

// durationBuckets reach from a look into the database to a long answer.
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

// Request counts a request that was answered. The operation is one of the
// document's, or another word of the server's own.
func (m *Metrics) Request(operation string, status int, took time.Duration) {
	if m == nil {
		return
	}
	m.requests.WithLabelValues(operation, strconv.Itoa(status)).Inc()
	m.requestDuration.WithLabelValues(operation).Observe(took.Seconds())
}

// Refused counts an answer of 429.
func (m *Metrics) Refused(reason string) {
	if m == nil {
		return
	}
	m.refused.WithLabelValues(reason).Inc()
}

// LiveStreams adds to the number of live streams, or takes from it.
func (m *Metrics) LiveStreams(change int) {
	if m == nil {
		return
	}
	m.liveStreams.Add(float64(change))
}

// SetRateLimitFallback says whether each replica counts the rate for itself
// because the shared count is out of reach.
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

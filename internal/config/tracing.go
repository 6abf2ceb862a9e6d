package config

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Tracing has the settings of traces. Without an Endpoint they are off.
type Tracing struct {
	// Endpoint is the whole URL that batches of spans are posted to.
	Endpoint string
	// Headers are sent with each batch; their values are secrets.
	Headers map[string]Secret
	Gzip    bool
	// Timeout bounds the sending of a batch, including retries.
	Timeout time.Duration
	// Authorities may sign the collector's certificate; nil means the system's.
	Authorities *x509.CertPool
	// Client is the client certificate for the collector; nil: none.
	Client  *tls.Certificate
	Queue   SpanQueue
	Sampler Sampler
	// ServiceName and Resource describe this server in its traces.
	ServiceName string
	Resource    map[string]string
	// Unread are OpenTelemetry's variables that are set and not supported. There
	// may be some even if the traces are off.
	Unread []string
}

// SpanQueue describes the queue of spans that are not sent yet.
type SpanQueue struct {
	Size  int           // further spans are dropped
	Batch int           // maximum number of spans sent at once
	Delay time.Duration // between two batches
}

// Sampler says which traces are recorded.
type Sampler struct {
	// ParentBased says whether the caller's decision is used, if there is one.
	ParentBased bool
	// Ratio is the fraction of the other traces that is recorded, from 0 to 1.
	Ratio float64
}

const (
	defaultCollector   = "http://localhost:4318"
	tracesPath         = "/v1/traces"
	defaultServiceName = "chatkit-rest"
	defaultSampler     = "parentbased_always_on"
	maxHeaders         = 32
	maxSpans           = 1_000_000
)

// TracingSettings returns OpenTelemetry's variables that are supported, as the table
// of docs/observing.md has them. A name with TRACES in it takes precedence over the
// general name.
func TracingSettings() []Setting {
	const overrides = "Overrides the variable above"

	return []Setting{
		{Name: "OTEL_SDK_DISABLED", Default: "false", Meaning: "`true` turns traces off, whatever else is set."},
		{Name: "OTEL_TRACES_EXPORTER", Meaning: "`otlp` or `none`. Unset: `otlp` if there is an endpoint."},
		{Name: "OTEL_EXPORTER_OTLP_ENDPOINT", Meaning: "URL of an OTLP collector over HTTP, such as `http://127.0.0.1:4318`; " +
			"`/v1/traces` is added. Unset: no traces."},
		{Name: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", Meaning: overrides + "; `/v1/traces` is not added."},
		{Name: "OTEL_EXPORTER_OTLP_PROTOCOL", Default: "http/protobuf", Meaning: "The protocol. Only `http/protobuf` is supported."},
		{Name: "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", Meaning: overrides + "."},
		{Name: "OTEL_EXPORTER_OTLP_HEADERS", Secret: true, Meaning: "Headers for the collector: a comma-separated list of `name=value`, " +
			"the values percent-encoded."},
		{Name: "OTEL_EXPORTER_OTLP_TRACES_HEADERS", Secret: true, Meaning: overrides + "."},
		{Name: "OTEL_EXPORTER_OTLP_COMPRESSION", Default: "none", Meaning: "`gzip` or `none`."},
		{Name: "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", Meaning: overrides + "."},
		{Name: "OTEL_EXPORTER_OTLP_TIMEOUT", Default: "10000", Meaning: "Timeout of the sending of a batch, in milliseconds."},
		{Name: "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", Meaning: overrides + "."},
		{Name: "OTEL_EXPORTER_OTLP_CERTIFICATE", Meaning: "PEM file of the authorities that may sign the collector's certificate. " +
			"Unset: the system's."},
		{Name: "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", Meaning: overrides + "."},
		{Name: "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", Meaning: "PEM file of the client certificate for the collector."},
		{Name: "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE", Meaning: overrides + "."},
		{Name: "OTEL_EXPORTER_OTLP_CLIENT_KEY", Secret: true, Meaning: "PEM file of the client certificate's private key."},
		{Name: "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", Secret: true, Meaning: overrides + "."},
		{Name: "OTEL_BSP_SCHEDULE_DELAY", Default: "5000", Meaning: "Time between two batches, in milliseconds."},
		{Name: "OTEL_BSP_MAX_QUEUE_SIZE", Default: "2048", Meaning: "Maximum number of waiting spans; further ones are dropped."},
		{Name: "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", Default: "512", Meaning: "Maximum number of spans in a batch. At most OTEL_BSP_MAX_QUEUE_SIZE."},
		{Name: "OTEL_TRACES_SAMPLER", Default: defaultSampler, Meaning: "`always_on`, `always_off`, `traceidratio`, or one of them " +
			"after `parentbased_`."},
		{Name: "OTEL_TRACES_SAMPLER_ARG", Default: "1", Meaning: "The fraction of the traces that `traceidratio` records, from 0 to 1."},
		{Name: "OTEL_SERVICE_NAME", Default: defaultServiceName, Meaning: "The name of the server in its traces."},
		{Name: "OTEL_RESOURCE_ATTRIBUTES", Meaning: "Attributes of the server: a comma-separated list of `name=value`, the values percent-encoded."},
	}
}

// tracing reads OTEL_*. If traces are disabled by name, the other variables are not
// checked: a platform may set them for other programs.
func (l *loader) tracing(names []string) Tracing {
	if l.boolean("OTEL_SDK_DISABLED") {
		return Tracing{}
	}

	endpoint := l.tracesEndpoint()
	l.tracesProtocol()

	t := Tracing{
		Endpoint: endpoint, Headers: l.tracesHeaders(), Gzip: l.tracesGzip(), Timeout: l.tracesTimeout(),
		Authorities: l.collectorAuthorities(endpoint), Client: l.collectorClient(endpoint),
		Queue: l.spanQueue(), Sampler: l.sampler(), ServiceName: l.text("OTEL_SERVICE_NAME", maxNameBytes, false),
	}
	t.Resource, _ = l.pairs("OTEL_RESOURCE_ATTRIBUTES")

	if !strings.EqualFold(l.value("OTEL_TRACES_EXPORTER"), "none") {
		t.Unread = l.unreadTracing(names)
	}

	if t.Endpoint == "" {
		return Tracing{Unread: t.Unread}
	}

	return t
}

// forTraces returns the name of the variable that applies to traces alone if that is
// set, otherwise the general one.
func (l *loader) forTraces(general string) string {
	own := strings.Replace(general, "OTLP_", "OTLP_TRACES_", 1)
	if l.value(own) != "" {
		return own
	}

	return general
}

func (l *loader) tracesEndpoint() string {
	endpoint := l.webURL("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
	if base := l.webURL("OTEL_EXPORTER_OTLP_ENDPOINT"); endpoint == "" && base != "" {
		endpoint = base + tracesPath
	}

	switch exporter := strings.ToLower(l.value("OTEL_TRACES_EXPORTER")); exporter {
	case "":
	case "none":
		return ""
	case "otlp":
		if endpoint == "" {
			endpoint = defaultCollector + tracesPath
		}
	default:
		l.fault("OTEL_TRACES_EXPORTER", "is "+l.quote(exporter)+", not a supported exporter", "use otlp or none, or leave it unset")
	}

	return endpoint
}

func (l *loader) tracesProtocol() {
	name := l.forTraces("OTEL_EXPORTER_OTLP_PROTOCOL")
	switch value := strings.ToLower(l.value(name)); value {
	case "http/protobuf":
	case "grpc":
		l.fault(name, "is grpc, which this server does not support",
			"use http/protobuf and the collector's port for it, usually 4318 (OTEL_SDK_DISABLED=true turns traces off)")
	default:
		l.fault(name, "is "+l.quote(value)+", not a supported protocol", "use http/protobuf, or leave it unset")
	}
}

func (l *loader) tracesHeaders() map[string]Secret {
	name := l.forTraces("OTEL_EXPORTER_OTLP_HEADERS")

	pairs, ok := l.pairs(name)
	if !ok {
		return nil
	}

	headers := make(map[string]Secret, len(pairs))

	for key, value := range pairs {
		if strings.ContainsFunc(key, notInToken) || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			l.fault(name, "has a name or a value that is not valid in an HTTP header", "write name=value, the values percent-encoded")

			return nil
		}

		headers[key] = NewSecret(value)
	}

	return headers
}

// notInToken reports whether r cannot be in a header's name (RFC 9110, section
// 5.6.2).
func notInToken(r rune) bool {
	return notPrintable(r) || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
}

func (l *loader) tracesGzip() bool {
	name := l.forTraces("OTEL_EXPORTER_OTLP_COMPRESSION")
	switch value := strings.ToLower(l.value(name)); value {
	case "gzip":
		return true
	case "none":
	default:
		l.fault(name, "is "+l.quote(value)+", not a supported compression", "use gzip or none, or leave it unset")
	}

	return false
}

func (l *loader) tracesTimeout() time.Duration {
	return time.Duration(l.number(l.forTraces("OTEL_EXPORTER_OTLP_TIMEOUT"), 1, int(maxTimeout.Milliseconds()))) * time.Millisecond
}

func (l *loader) spanQueue() SpanQueue {
	const size, batch = "OTEL_BSP_MAX_QUEUE_SIZE", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"

	q := SpanQueue{
		Size: l.number(size, 1, maxSpans), Batch: l.number(batch, 1, maxSpans),
		Delay: time.Duration(l.number("OTEL_BSP_SCHEDULE_DELAY", 1, int(maxTimeout.Milliseconds()))) * time.Millisecond,
	}
	if q.Batch > q.Size && l.isSet(batch) {
		l.fault(batch, fmt.Sprintf("is %d, more than the queue holds (%s, %d)", q.Batch, size, q.Size), "lower it, or raise "+size)
	}

	q.Batch = min(q.Batch, q.Size)

	return q
}

// unreadTracing returns those of the names that are OpenTelemetry's and not
// supported. It leaves out values that ask for what this server does anyway.
func (l *loader) unreadTracing(names []string) []string {
	asDone := map[string]string{"OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none", "OTEL_PROPAGATORS": "tracecontext"}

	known := make(map[string]bool)
	for _, setting := range TracingSettings() {
		known[setting.Name] = true
	}

	var unread []string

	for _, name := range names {
		value := l.value(name)
		if strings.HasPrefix(name, "OTEL_") && !known[name] && value != "" && !strings.EqualFold(value, asDone[name]) {
			unread = append(unread, name)
		}
	}

	slices.Sort(unread)

	return slices.Compact(unread)
}

func (l *loader) sampler() Sampler {
	const name, argument = "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"

	ratio, err := strconv.ParseFloat(l.value(argument), 64)
	if err != nil || ratio < 0 || ratio > 1 || math.IsNaN(ratio) {
		l.fault(argument, "is "+l.quote(l.value(argument)), "set it to a number from 0 to 1, such as 0.1")
	}

	value := strings.ToLower(l.value(name))
	kind, parentBased := strings.CutPrefix(value, "parentbased_")

	switch kind {
	case "always_on":
		return Sampler{ParentBased: parentBased, Ratio: 1}
	case "always_off":
		return Sampler{ParentBased: parentBased}
	case "traceidratio":
		return Sampler{ParentBased: parentBased, Ratio: ratio}
	default:
		l.fault(name, "is "+l.quote(value)+", not a supported sampler",
			"use always_on, always_off or traceidratio, alone or after parentbased_, such as "+defaultSampler)

		return Sampler{}
	}
}

// pairs reads a comma-separated list of name=value, the values percent-encoded (W3C
// Baggage, as OpenTelemetry specifies).
func (l *loader) pairs(name string) (map[string]string, bool) {
	pairs := make(map[string]string)

	for entry := range strings.SplitSeq(l.value(name), ",") {
		entry = strings.TrimSpace(entry)
		if entry == "" {
			continue
		}

		key, value, found := strings.Cut(entry, "=")
		key = strings.TrimSpace(key)

		text, err := url.PathUnescape(strings.TrimSpace(value))
		if !found || key == "" || err != nil || len(pairs) == maxHeaders {
			l.fault(name, "is not a comma-separated list of name=value",
				fmt.Sprintf("write up to %d of them, the values percent-encoded: a=1,b=two%%20words", maxHeaders))

			return nil, false
		}

		pairs[key] = text
	}

	return pairs, true
}

package config_test

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
)

// badTracing are values of OpenTelemetry's variables that are rejected, each with a
// word of its problem.
func badTracing() map[string]map[string]string {
	url := map[string]string{
		"collector:4318": "collector", "grpc://collector:4317": "grpc", "http://": "http",
		"https://user:hunter2@collector": "password", "https://collector/?key=hunter2": "parameters",
	}
	protocol := map[string]string{"grpc": "grpc", "http/json": "http/json", "tcp": "tcp"}
	headers := map[string]string{
		"authorization": "name=value", "=hunter2": "name=value", "a b=hunter2": "HTTP header", "a=%zz": "name=value",
		"a=x%0d%0ay": "HTTP header", strings.Repeat("a=1,b=2,", 40) + "x": "name=value",
	}
	compression := map[string]string{"zstd": "zstd"}
	timeout := map[string]string{"0": "0", "-1": "-1", "10s": "10s", "99999999": "99999999"}
	authority := map[string]string{"none.pem": "cannot be read", ".": "cannot be read", "/dev/zero": "cannot be read", "tracing_test.go": "PEM"}
	client := map[string]string{"tracing_test.go": "without", "hunter2": "without"}

	return map[string]map[string]string{
		"OTEL_SDK_DISABLED":                     {"1": "1", "yes": "yes"},
		"OTEL_TRACES_EXPORTER":                  {"zipkin": "zipkin", "otlp,console": "console"},
		"OTEL_EXPORTER_OTLP_ENDPOINT":           url,
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT":    url,
		"OTEL_EXPORTER_OTLP_PROTOCOL":           protocol,
		"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL":    protocol,
		"OTEL_EXPORTER_OTLP_HEADERS":            headers,
		"OTEL_EXPORTER_OTLP_TRACES_HEADERS":     headers,
		"OTEL_EXPORTER_OTLP_COMPRESSION":        compression,
		"OTEL_EXPORTER_OTLP_TRACES_COMPRESSION": compression,
		"OTEL_EXPORTER_OTLP_TIMEOUT":            timeout,
		"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT":     timeout,
		"OTEL_EXPORTER_OTLP_CERTIFICATE":        authority,

		"OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE":        authority,
		"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE":        {"tracing_test.go": "without"},
		"OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE": {"tracing_test.go": "without"},
		"OTEL_EXPORTER_OTLP_CLIENT_KEY":                client,
		"OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY":         client,

		"OTEL_BSP_SCHEDULE_DELAY":        timeout,
		"OTEL_BSP_MAX_QUEUE_SIZE":        {"0": "0", "1000001": "1000001", "many": "many"},
		"OTEL_BSP_MAX_EXPORT_BATCH_SIZE": {"0": "0", "2049": "OTEL_BSP_MAX_QUEUE_SIZE, 2048", "many": "many"},
		"OTEL_TRACES_SAMPLER":            {"jaeger_remote": "jaeger_remote", "parentbased_": "parentbased_"},
		"OTEL_TRACES_SAMPLER_ARG":        {"2": "2", "-0.1": "-0.1", "half": "half", "NaN": "NaN"},
		"OTEL_SERVICE_NAME":              {"a\nb": "control"},
		"OTEL_RESOURCE_ATTRIBUTES":       {"production": "name=value"},
	}
}

func TestBadTracingIsRefused(t *testing.T) {
	t.Parallel()

	bad := badTracing()
	for _, setting := range config.TracingSettings() {
		if len(bad[setting.Name]) == 0 {
			t.Errorf("no bad value of %s is tested", setting.Name)
		}
	}

	for name, values := range bad {
		for value, word := range values {
			faults := faultsOf(t, with(name, value), config.Options{})
			if len(faults) != 1 || faults[0].Name != name {
				t.Errorf("%s=%q: got the faults %v", name, value, faults)

				continue
			}

			if !strings.Contains(faults[0].Problem, word) {
				t.Errorf("%s=%q: the problem %q does not say %q", name, value, faults[0].Problem, word)
			}

			if strings.Contains(faults.Error(), "hunter2") {
				t.Errorf("a secret is shown: %v", faults)
			}
		}
	}
}

func TestTracingIsOff(t *testing.T) {
	t.Parallel()

	for _, changes := range [][]string{
		{},
		{"OTEL_SERVICE_NAME", "chat"},
		{"OTEL_TRACES_EXPORTER", "none", "OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"},
		{"OTEL_SDK_DISABLED", "TRUE", "OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317", "OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"},
	} {
		if got := load(t, with(changes...)).Tracing; got.Endpoint != "" {
			t.Errorf("%q: traces go to %s", changes, got.Endpoint)
		}
	}
}

func TestTracingEndpoint(t *testing.T) {
	t.Parallel()

	for want, changes := range map[string][]string{
		"http://localhost:4318/v1/traces":      {"OTEL_TRACES_EXPORTER", "otlp"},
		"http://collector:4318/v1/traces":      {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/"},
		"https://collector/in/v1/traces":       {"OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector/in"},
		"http://own:4318/spans":                {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://own:4318/spans"},
		"http://127.0.0.1:4318/v1/traces":      {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318", "OTEL_SDK_DISABLED", "false"},
		"http://collector.example/v1/traces":   {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.example", "OTEL_TRACES_EXPORTER", "otlp"},
		"http://collector.example:9/v1/traces": {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.example:9", "OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"},
	} {
		if got := load(t, with(changes...)).Tracing.Endpoint; got != want {
			t.Errorf("%q: traces go to %q, want %q", changes, got, want)
		}
	}
}

func TestTracingSettings(t *testing.T) {
	t.Parallel()

	got := load(t, with("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c", "OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20x, x-team = chat",
		"OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", "OTEL_EXPORTER_OTLP_TIMEOUT", "10000", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "500",
		"OTEL_BSP_MAX_QUEUE_SIZE", "100", "OTEL_BSP_SCHEDULE_DELAY", "250",
		"OTEL_TRACES_SAMPLER", "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG", "0.25",
		"OTEL_SERVICE_NAME", "chat", "OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=staging")).Tracing
	want := config.Tracing{
		Endpoint: "http://c/v1/traces", Gzip: true, Timeout: 500 * time.Millisecond,
		Headers: map[string]config.Secret{"authorization": config.NewSecret("Bearer x"), "x-team": config.NewSecret("chat")},
		Queue:   config.SpanQueue{Size: 100, Batch: 100, Delay: 250 * time.Millisecond},
		Sampler: config.Sampler{ParentBased: true, Ratio: 0.25}, ServiceName: "chat",
		Resource: map[string]string{"deployment.environment.name": "staging"},
	}

	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// Variables that are set and not supported are reported, unless they ask for what
// the server does anyway or traces are off by name.
func TestUnreadTracing(t *testing.T) {
	t.Parallel()

	unread := []string{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_METRICS_EXPORTER", "OTEL_SPAN_EVENT_COUNT_LIMIT"}
	all := []string{
		"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://c", "OTEL_METRICS_EXPORTER", "otlp", "OTEL_SPAN_EVENT_COUNT_LIMIT", "1",
		"OTEL_LOGS_EXPORTER", "None", "OTEL_PROPAGATORS", "tracecontext", "OTEL_SERVICE_NAME", "chat", "OTEL_LOG_LEVEL", " ", "PORT", "1",
	}

	for _, test := range []struct {
		more []string
		want []string
	}{
		{nil, unread},
		{[]string{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"}, unread},
		{[]string{"OTEL_TRACES_EXPORTER", "none", "OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"}, nil},
		{[]string{"OTEL_SDK_DISABLED", "true"}, nil},
	} {
		e := with(append(test.more, all...)...)
		names := append(slices.Collect(maps.Keys(e)), "OTEL_SPAN_EVENT_COUNT_LIMIT", "HOME")

		s, err := config.Load(e.get, config.Options{Names: names})
		if err != nil || !slices.Equal(s.Tracing.Unread, test.want) {
			t.Errorf("%q: got %q, want %q (%v)", test.more, s.Tracing.Unread, test.want, err)
		}
	}
}

// Certificates have no effect with a collector over http.
func TestCertificatesNeedHTTPS(t *testing.T) {
	t.Parallel()

	for _, name := range []string{"OTEL_EXPORTER_OTLP_CERTIFICATE", "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE"} {
		faults := faultsOf(t, with("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318", name, "ca.pem"), config.Options{})
		if len(faults) != 1 || faults[0].Name != name || !strings.Contains(faults[0].Fix, "https") {
			t.Errorf("got the faults %v", faults)
		}
	}
}

// An invalid certificate or key, or ones that do not belong together.
func TestInvalidClientCertificate(t *testing.T) {
	t.Parallel()

	faults := faultsOf(t, with("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "load.go", "OTEL_EXPORTER_OTLP_CLIENT_KEY", "loader.go"), config.Options{})
	if len(faults) != 1 || !strings.Contains(faults[0].Problem, "OTEL_EXPORTER_OTLP_CLIENT_KEY") {
		t.Errorf("got the faults %v", faults)
	}
}

func TestMetricsAddr(t *testing.T) {
	t.Parallel()

	for _, value := range []string{"127.0.0.1:9090", ":9090", "[::1]:9090", "metrics.internal:9090", "127.0.0.1:0", "192.0.2.1:8080"} {
		if got := load(t, with("METRICS_ADDR", value)).MetricsAddr; got != value {
			t.Errorf("METRICS_ADDR=%s gave %q", value, got)
		}
	}
}

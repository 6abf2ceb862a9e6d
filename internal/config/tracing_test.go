package config_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
)

// badTracing are values of OpenTelemetry's variables that are refused, each
// with a word of its problem.
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
		"OTEL_TRACES_SAMPLER":                   {"jaeger_remote": "jaeger_remote", "parentbased_": "parentbased_"},
		"OTEL_TRACES_SAMPLER_ARG":               {"2": "2", "-0.1": "-0.1", "half": "half", "NaN": "NaN"},
		"OTEL_SERVICE_NAME":                     {"a\nb": "control"},
		"OTEL_RESOURCE_ATTRIBUTES":              {"production": "name=value"},
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
		"OTEL_TRACES_SAMPLER", "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG", "0.25",
		"OTEL_SERVICE_NAME", "chat", "OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=staging")).Tracing
	want := config.Tracing{
		Endpoint: "http://c/v1/traces", Gzip: true, Timeout: 500 * time.Millisecond,
		Headers: map[string]config.Secret{"authorization": config.NewSecret("Bearer x"), "x-team": config.NewSecret("chat")},
		Sampler: config.Sampler{ParentBased: true, Ratio: 0.25}, ServiceName: "chat",
		Resource: map[string]string{"deployment.environment.name": "staging"},
	}

	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
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

package telemetry_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/telemetry"
)

// scrape returns the metrics in their text format.
func scrape(t *testing.T, metrics *telemetry.Metrics) string {
	t.Helper()
	recorder := httptest.NewRecorder()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody)
	metrics.NewServer(slog.New(slog.DiscardHandler)).Handler.ServeHTTP(recorder, request)
	body, err := io.ReadAll(recorder.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestRateLimitFallback(t *testing.T) {
	t.Parallel()
	metrics := telemetry.NewMetrics(telemetry.MetricsOptions{})
	for fallback, want := range map[bool]string{true: "chatkit_rate_limit_fallback 1\n", false: "chatkit_rate_limit_fallback 0\n"} {
		metrics.SetRateLimitFallback(fallback)
		if got := scrape(t, metrics); !strings.Contains(got, want) {
			t.Errorf("there is no line %q", want)
		}
	}
}

// TestInvalidUsage checks that negative numbers and invalid model names from upstream
// do not get into the metrics.
func TestInvalidUsage(t *testing.T) {
	t.Parallel()
	metrics := telemetry.NewMetrics(telemetry.MetricsOptions{Model: "asked"})
	runs := telemetry.Runs(metrics, nil)
	cost := -1.0
	for _, model := range []string{"", "a b", "line\nbreak", "ü", strings.Repeat("m", 101), `quote"`} {
		runs.RunEnded(t.Context(), chat.Run{
			Status: chat.RunCompleted, Model: model, Usage: chat.Usage{InputTokens: -5, OutputTokens: 1, Cost: &cost},
		})
	}
	got := scrape(t, metrics)
	for _, want := range []string{
		`chatkit_tokens_total{kind="output",model="other"} 5`,
		`chatkit_tokens_total{kind="output",model="quote\""} 1`,
		`chatkit_tokens_total{kind="input",model="other"} 0`,
		`chatkit_cost_credits_total{model="other"} 0`,
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("there is no line %s", want)
		}
	}
}

// TestNilMetricsAndTracing checks that nil metrics and tracing do nothing and wrap
// nothing.
func TestNilMetricsAndTracing(t *testing.T) {
	t.Parallel()
	var metrics *telemetry.Metrics
	var tracing *telemetry.Tracing
	metrics.Request("getSession", http.StatusOK, 0)
	metrics.Refused(telemetry.RateLimit)
	metrics.LiveStreams(1)
	metrics.SetRateLimitFallback(true)
	runs := telemetry.Runs(metrics, tracing)
	ctx := t.Context()
	if got := runs.RunStarted(ctx, chat.Run{}); got != ctx {
		t.Error("the run got another context")
	}
	runs.RunEnded(ctx, chat.Run{})
	model, store := chat.Model(emptyModel{}), chat.Store(emptyStore{})
	if telemetry.Model(nil, tracing, model, telemetry.Upstream{}) != model || tracing.Store(store, "sqlite") != store {
		t.Error("the model or the store is wrapped")
	}
	request := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", http.NoBody)
	got, span := tracing.StartRequest(request, "/", true)
	span.EndRequest(http.StatusOK)
	tracing.StartValidation(ctx).EndValidation(true)
	if got != request.Context() {
		t.Error("the request got another context")
	}
}

type emptyModel struct{}

func (emptyModel) Stream(context.Context, chat.ModelRequest) (chat.ModelStream, error) {
	return nil, io.EOF
}

type emptyStore struct{ chat.Store }

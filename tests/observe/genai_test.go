package observe_test

import (
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// TestGenAISpan checks that the span of an answer has the tokens by
// OpenTelemetry's conventions for generative AI, cached and reasoning tokens
// included.
func TestGenAISpan(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	server := traced(t, harness.SQLite, c, nil)
	server.Upstream.Answer("whole", says("vendor/model-1"))
	user := server.User(t)
	user.Say(user.CreateSession(), "whole")
	stop(t, server)
	for _, s := range c.all() {
		if !strings.HasPrefix(s.GetName(), "chat ") {
			continue
		}
		for name, want := range map[string]any{
			"gen_ai.operation.name":                "chat",
			"gen_ai.provider.name":                 "openai",
			"gen_ai.request.model":                 "~openai/gpt-mini-latest",
			"gen_ai.request.stream":                true,
			"gen_ai.response.model":                "vendor/model-1",
			"gen_ai.usage.input_tokens":            int64(100),
			"gen_ai.usage.output_tokens":           int64(20),
			"gen_ai.usage.cache_read.input_tokens": int64(64),
			"gen_ai.usage.reasoning.output_tokens": int64(7),
		} {
			if got := s.attribute(name); got != want {
				t.Errorf("%s is %v, want %v", name, got, want)
			}
		}
		return
	}
	t.Error("there is no span of an answer")
}

// TestGenAIMetrics checks the two metrics of the conventions for requests to
// the model.
func TestGenAIMetrics(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		s := startObserved(t, harness.Options{Database: database})
		s.Upstream.Answer("whole", says("vendor/model-1"))
		s.Upstream.Answer("refused", harness.Script{harness.Refuse(http.StatusUnauthorized, -1, `{"error":{"code":401}}`)})
		user := s.User(t)
		session := user.CreateSession()
		user.Say(session, "whole")
		user.Do(harness.Request{Method: http.MethodPost, Path: harness.RunsPath(session, session), Body: strings.NewReader(refused)})
		base, err := url.Parse(s.Upstream.URL)
		if err != nil {
			t.Fatal(err)
		}
		labels := func(response string, more ...string) []string {
			return append([]string{
				"gen_ai_operation_name", "chat", "gen_ai_provider_name", "openai",
				"gen_ai_request_model", "~openai/gpt-mini-latest", "gen_ai_response_model", response,
				"server_address", base.Hostname(), "server_port", base.Port(),
			}, more...)
		}
		found := s.await(t,
			expectation{"gen_ai_client_operation_duration_seconds", labels("vendor/model-1", "error_type", ""), 1},
			expectation{"gen_ai_client_operation_duration_seconds", labels("", "error_type", "upstream_credentials"), 1},
			expectation{"gen_ai_client_token_usage", labels("vendor/model-1", "gen_ai_token_type", "input"), 1},
			expectation{"gen_ai_client_token_usage", labels("vendor/model-1", "gen_ai_token_type", "output"), 1})
		for name, want := range map[string][]float64{
			"gen_ai_client_token_usage": {1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864},
			"gen_ai_client_operation_duration_seconds": {
				0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
			},
		} {
			for _, metric := range found[name].GetMetric() {
				var bounds []float64
				for _, bucket := range metric.GetHistogram().GetBucket() {
					if !math.IsInf(bucket.GetUpperBound(), 1) {
						bounds = append(bounds, bucket.GetUpperBound())
					}
				}
				if !slices.Equal(bounds, want) {
					t.Errorf("%s has the buckets %v, want %v", name, bounds, want)
				}
			}
		}
	})
}

package observe_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/client"
	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// says returns a whole answer of a model with all fields of its usage.
func says(model string) harness.Script {
	chunk := func(text string, finish any) map[string]any {
		return map[string]any{
			"id": "gen-1", "object": "chat.completion.chunk", "model": model,
			"choices": []any{map[string]any{"index": 0, "delta": map[string]any{"content": text}, "finish_reason": finish}},
		}
	}
	last := chunk("", "stop")
	last["usage"] = map[string]any{
		"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120, "cost": 0.25,
		"prompt_tokens_details":     map[string]any{"cached_tokens": 64},
		"completion_tokens_details": map[string]any{"reasoning_tokens": 7},
	}
	return harness.Script{harness.JSON(chunk("Yes.", nil)), harness.JSON(last), harness.Done()}
}

// refused is a message that its script refuses.
const refused = `{"message":{"role":"user","content":[{"type":"input_text","text":"refused"}]}}`

// TestMetrics checks that events are counted under the documented names.
func TestMetrics(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		s := startObserved(t, harness.Options{Database: database, Env: map[string]string{"MAX_SESSIONS_PER_USER": "1"}})
		user := s.User(t)
		session := user.CreateSession()
		s.Upstream.Answer("whole", says("vendor/model-1"))
		s.Upstream.Answer("refused", harness.Script{harness.Refuse(http.StatusUnauthorized, -1, `{"error":{"code":401}}`)})
		s.Upstream.Answer("cut", harness.Script{harness.Text("Half"), harness.CloseConnection()})
		user.Say(session, "whole")
		if answer := user.Do(harness.Request{
			Method: http.MethodPost, Path: harness.RunsPath(session, session), Body: strings.NewReader(refused),
		}); answer.Status != http.StatusBadGateway {
			t.Fatalf("a refused run got %d", answer.Status)
		}
		user.Say(session, "cut")
		answer, err := user.API.CreateSessionWithResponse(user.Context(), client.CreateSessionRequest{})
		if err != nil || answer.StatusCode() != http.StatusTooManyRequests {
			t.Fatalf("a session too many got %v, %v", answer, err)
		}
		user.Session(session)
		s.Do(t, harness.Request{Method: http.MethodHead, Path: "/health"})
		checkLive(t, s, user, session)
		found := s.await(t,
			expectation{"chatkit_http_requests_total", []string{"operation", "createRun", "status", "200"}, 3},
			expectation{"chatkit_http_requests_total", []string{"operation", "createRun", "status", "502"}, 1},
			expectation{"chatkit_http_requests_total", []string{"operation", "createSession", "status", "200"}, 1},
			expectation{"chatkit_http_requests_total", []string{"operation", "createSession", "status", "429"}, 1},
			expectation{"chatkit_http_requests_total", []string{"operation", "getSession", "status", "200"}, 1},
			expectation{"chatkit_http_requests_total", []string{"operation", "getHealth", "status", "200"}, 1},
			expectation{"chatkit_http_request_duration_seconds", []string{"operation", "createRun"}, 4},
			expectation{"chatkit_http_refused_total", []string{"reason", "session_limit"}, 1},
			expectation{"chatkit_http_refused_total", []string{"reason", "rate_limit"}, 0},
			expectation{"chatkit_live_streams", nil, 0},
			expectation{"chatkit_live_runs", nil, 0},
			expectation{"chatkit_runs_total", []string{"outcome", "completed"}, 1},
			expectation{"chatkit_runs_total", []string{"outcome", "failed"}, 2},
			expectation{"chatkit_runs_total", []string{"outcome", "cancelled"}, 1},
			expectation{"chatkit_run_duration_seconds", nil, 4},
			expectation{"chatkit_run_first_token_seconds", nil, 3},
			expectation{"chatkit_upstream_errors_total", []string{"kind", "upstream_credentials"}, 1},
			expectation{"chatkit_upstream_errors_total", []string{"kind", "upstream_broken"}, 1},
			expectation{"chatkit_upstream_errors_total", []string{"kind", "upstream_timeout"}, 0},
			expectation{"chatkit_tokens_total", []string{"model", "vendor/model-1", "kind", "input"}, 100},
			expectation{"chatkit_tokens_total", []string{"model", "vendor/model-1", "kind", "output"}, 20},
			expectation{"chatkit_tokens_total", []string{"model", "vendor/model-1", "kind", "cached"}, 64},
			expectation{"chatkit_tokens_total", []string{"model", "vendor/model-1", "kind", "reasoning"}, 7},
			expectation{"chatkit_cost_credits_total", []string{"model", "vendor/model-1"}, 0.25},
			expectation{"chatkit_rate_limit_fallback", nil, 0},
		)
		checkParts(t, database, found)
	})
}

// TestTitleIsCounted checks that the usage of a title is counted like that of
// an answer.
func TestTitleIsCounted(t *testing.T) {
	t.Parallel()
	s := startObserved(t, harness.Options{Database: harness.SQLite, Env: map[string]string{"TITLE_MODEL": "vendor/namer"}})
	user := s.User(t)
	s.Upstream.Answer("whole", says("vendor/model-1"))
	s.Upstream.Answer("User:\nwhole\n\nAssistant:\nYes.", says("vendor/namer-2"))
	user.Say(user.CreateSession(), "whole")
	s.await(t,
		expectation{"chatkit_runs_total", []string{"outcome", "completed"}, 1},
		expectation{"chatkit_tokens_total", []string{"model", "vendor/model-1", "kind", "input"}, 100},
		expectation{"chatkit_cost_credits_total", []string{"model", "vendor/model-1"}, 0.25},
		expectation{"chatkit_tokens_total", []string{"model", "vendor/namer-2", "kind", "input"}, 100},
		expectation{"chatkit_tokens_total", []string{"model", "vendor/namer-2", "kind", "output"}, 20},
		expectation{"chatkit_tokens_total", []string{"model", "vendor/namer-2", "kind", "cached"}, 64},
		expectation{"chatkit_tokens_total", []string{"model", "vendor/namer-2", "kind", "reasoning"}, 7},
		expectation{"chatkit_cost_credits_total", []string{"model", "vendor/namer-2"}, 0.25})
	s.AwaitLog(t, `"msg":"a title was asked for","run":"`)
	s.AwaitLog(t, `"model":"vendor/namer-2","input_tokens":100,"output_tokens":20,"cost":0.25`)
}

// checkLive checks the gauges while a stream is open, and when its client has
// disconnected. Then it cancels the run.
func checkLive(t *testing.T, s *observed, user *harness.User, session uuid.UUID) {
	t.Helper()
	s.Upstream.Answer("held", harness.Script{harness.Text("I"), harness.Hang()})
	run := user.StartRun(session, "held")
	run.Until("thread.item.added")
	s.await(t, expectation{"chatkit_live_streams", nil, 1}, expectation{"chatkit_live_runs", nil, 1})
	run.Close()
	s.await(t, expectation{"chatkit_live_streams", nil, 0}, expectation{"chatkit_live_runs", nil, 1})
	user.CancelRun(session, run.ID)
}

// checkParts checks the metrics of libraries.
func checkParts(t *testing.T, database harness.Database, found families) {
	t.Helper()
	pools := map[harness.Database][]string{harness.SQLite: {"read", "write"}, harness.Postgres: {"all"}}
	for _, pool := range pools[database] {
		if got := found.value("go_sql_max_open_connections", "db_name", pool); got < 1 {
			t.Errorf("the pool %s has at most %v connections", pool, got)
		}
	}
	for _, name := range []string{"go_goroutines", "process_resident_memory_bytes", "process_open_fds"} {
		if got := found.value(name); got < 1 {
			t.Errorf("%s is %v", name, got)
		}
	}
	if len(found["chatkit_build_info"].GetMetric()) != 1 {
		t.Errorf("the build's info is %v", found["chatkit_build_info"])
	}
}

// TestRateLimitIsCounted checks that a refusal by address has a reason label of
// its own.
func TestRateLimitIsCounted(t *testing.T) {
	t.Parallel()
	s := startObserved(t, harness.Options{Database: harness.SQLite, Env: map[string]string{"RATE_LIMIT_PER_MINUTE": "2"}})
	for range 5 {
		send(t, http.MethodGet, s.URL+"/api/v1/chatkit/sessions")
	}
	s.await(t,
		expectation{"chatkit_http_refused_total", []string{"reason", "rate_limit"}, 3},
		expectation{"chatkit_http_refused_total", []string{"reason", "session_limit"}, 0},
		expectation{"chatkit_http_requests_total", []string{"operation", "listSessions", "status", "429"}, 3},
		expectation{"chatkit_http_requests_total", []string{"operation", "listSessions", "status", "401"}, 2})
}

// TestMetricsAreBounded checks that neither a caller nor upstream can create
// series and that no label identifies a user.
func TestMetricsAreBounded(t *testing.T) {
	t.Parallel()
	s := startObserved(t, harness.Options{Database: harness.SQLite})
	user := s.UserNamed(t, "somebody@example.com")
	session := user.CreateSession()
	hostile := func(from, to int) {
		for n := from; n < to; n++ {
			send(t, http.MethodGet, fmt.Sprintf("%s/made-up-%d?x=%d", s.URL, n, n))
			send(t, fmt.Sprintf("METHOD%d", n), s.URL+"/api/v1/chatkit/sessions")
			send(t, http.MethodOptions, fmt.Sprintf("%s/api/v1/chatkit/sessions/%d", s.URL, n))
			question := fmt.Sprintf("wherefore %d", n)
			s.Upstream.Answer(question, says(fmt.Sprintf("made-up/%d", n)))
			user.Say(session, question)
		}
	}
	const most = 20 // models with a label of their own
	hostile(0, most+5)
	before := s.await(t, expectation{"chatkit_runs_total", []string{"outcome", "completed"}, most + 5},
		expectation{"chatkit_tokens_total", []string{"model", "other", "kind", "input"}, 100 * 6}) // the requested model is one of them
	hostile(most+5, 2*most)
	after := s.await(t, expectation{"chatkit_runs_total", []string{"outcome", "completed"}, 2 * most},
		expectation{"chatkit_http_requests_total", []string{"operation", "none", "status", "404"}, 2 * most},
		expectation{"chatkit_http_requests_total", []string{"operation", "none", "status", "405"}, 4 * most})
	if before.series() != after.series() {
		t.Errorf("there were %d series, then %d", before.series(), after.series())
	}
	scraped := send(t, http.MethodGet, s.metricsURL).body
	for _, word := range []string{"somebody", session.String(), "METHOD", "wherefore", s.Secret, s.Upstream.Key} {
		if strings.Contains(scraped, word) {
			t.Errorf("the metrics hold %q", word)
		}
	}
}

// TestMetricsListener checks that the metrics listener has one path, that the
// public listener does not have it, and that it stops with the server.
func TestMetricsListener(t *testing.T) {
	t.Parallel()
	s := startObserved(t, harness.Options{Database: harness.SQLite})
	base := strings.TrimSuffix(s.metricsURL, "/metrics")
	for _, c := range []struct {
		method, url string
		want        int
	}{
		{http.MethodGet, s.metricsURL, http.StatusOK},
		{http.MethodHead, s.metricsURL, http.StatusOK},
		{http.MethodPost, s.metricsURL, http.StatusNotFound},
		{http.MethodOptions, s.metricsURL, http.StatusNotFound},
		{http.MethodGet, base + "/", http.StatusNotFound},
		{http.MethodGet, base + "/metrics/", http.StatusNotFound},
		{http.MethodGet, base + "/health", http.StatusNotFound},
		{http.MethodGet, base + "/debug/pprof/", http.StatusNotFound},
		{http.MethodGet, base + "/api/v1/chatkit/sessions", http.StatusNotFound},
		{http.MethodGet, s.URL + "/metrics", http.StatusNotFound},
	} {
		if got := send(t, c.method, c.url); got.status != c.want {
			t.Errorf("%s %s gave %d, want %d", c.method, c.url, got.status, c.want)
		}
	}
	address := strings.TrimPrefix(base, "http://")
	if code := s.Stop(); code != 0 {
		t.Errorf("the server ended with %d", code)
	}
	if conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address); err == nil {
		_ = conn.Close()
		t.Error("the metrics listener outlived the server")
	}
}

// TestNoMetricsByDefault checks that there is one listener without
// METRICS_ADDR.
func TestNoMetricsByDefault(t *testing.T) {
	t.Parallel()
	server := harness.Start(t, harness.Options{Database: harness.SQLite})
	if got := send(t, http.MethodGet, server.URL+"/metrics"); got.status != http.StatusNotFound {
		t.Errorf("/metrics gave %d", got.status)
	}
	if strings.Contains(server.Log(), `"msg":"serving metrics"`) {
		t.Errorf("the server says that it has metrics:\n%s", server.Log())
	}
}

// TestMetricsPortInUse checks that a metrics port in use is reported with the
// name of its setting.
func TestMetricsPortInUse(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() //nolint:errcheck // nothing was done with it
	env := harness.Settings(harness.NewDatabase(t, harness.SQLite), "kq3Wm8ZtYv1xRb6NcP0sLd9FgHj2TuAe", harness.NewUpstream(t))
	env["PORT"], env["METRICS_ADDR"] = "0", listener.Addr().String()
	result := harness.Execute(t, env, "serve")
	if result.ExitCode != 1 || !strings.Contains(result.Stderr, "METRICS_ADDR") {
		t.Errorf("exit code %d:\n%s", result.ExitCode, result.Stderr)
	}
}

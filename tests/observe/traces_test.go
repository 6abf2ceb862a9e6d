package observe_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

const (
	runRoute   = "POST /api/v1/chatkit/sessions/:session_id/threads/:thread_id/runs"
	question   = "the-question-of-a-user"
	apiTraceID = "4bf92f3577b34da6a3ce929d0e0e4736"
	apiSpanID  = "00f067aa0ba902b7"
)

// traced starts a server that sends its traces to the collector.
func traced(t *testing.T, database harness.Database, c *collector, env map[string]string) *harness.Server {
	t.Helper()
	all := map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.url}
	maps.Copy(all, env)
	return harness.Start(t, harness.Options{Database: database, Env: all})
}

// stop ends the server, which sends its last spans before it exits.
func stop(t *testing.T, server *harness.Server) {
	t.Helper()
	if code := server.Stop(); code != 0 {
		t.Fatalf("the server ended with %d", code)
	}
}

// TestTraceOfARun checks that the spans of request, validation, store and
// upstream are one tree without secrets or personal data.
func TestTraceOfARun(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		c := newCollector(t)
		server := traced(t, database, c, map[string]string{
			"OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20hunter2", "OTEL_SERVICE_NAME": "chat-under-test",
			"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip", "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=staging",
		})
		server.Upstream.Answer(question, harness.TextAnswer("the", "-answer", "-of-a-model"))
		user := server.UserNamed(t, "somebody@example.com")
		session := user.CreateSession()
		run := user.StartRun(session, question)
		run.All()
		stop(t, server)

		spans := c.all()
		root := one(t, spans, runRoute, "")
		started := one(t, spans, "run", root.id)
		upstream := one(t, spans, "chat ~openai/gpt-mini-latest", started.id)
		tree := []span{
			root, one(t, spans, "validate request", root.id), one(t, spans, "store StartRun", root.id), started,
			upstream, one(t, spans, "store FinishRun", started.id),
		}
		for _, s := range tree {
			if s.trace != root.trace {
				t.Errorf("%s is of another trace", s.GetName())
			}
			if s.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR {
				t.Errorf("%s failed", s.GetName())
			}
			if s.GetEndTimeUnixNano() < s.GetStartTimeUnixNano() || s.GetEndTimeUnixNano() == 0 {
				t.Errorf("%s has no end", s.GetName())
			}
		}
		if root.parent != "" || root.GetKind() != tracepb.Span_SPAN_KIND_SERVER || upstream.GetKind() != tracepb.Span_SPAN_KIND_CLIENT {
			t.Errorf("the root is %v, the upstream's span %v", root, upstream)
		}
		checkAttributes(t, database, tree, run.ID, session)
		if !strings.Contains(server.Log(), `"trace":"`+root.trace+`"`) {
			t.Error("no line of the log names the trace")
		}
		checkBatches(t, c)
		checkNothingSecret(t, c, server, user)
		for _, request := range server.Upstream.Requests(question) {
			if got := request.Header.Get("Traceparent"); got != "" {
				t.Errorf("upstream got the trace: %s", got)
			}
		}
	})
}

func checkAttributes(t *testing.T, database harness.Database, tree []span, runID string, session uuid.UUID) {
	t.Helper()
	root, storing, run, upstream := tree[0], tree[2], tree[3], tree[4]
	system := map[harness.Database]string{harness.SQLite: "sqlite", harness.Postgres: "postgresql"}[database]
	for _, want := range []struct {
		span  span
		name  string
		value any
	}{
		{root, "http.request.method", "POST"},
		{root, "http.route", strings.TrimPrefix(runRoute, "POST ")},
		{root, "http.response.status_code", int64(http.StatusOK)},
		{storing, "db.system.name", system},
		{run, "chatkit.run.id", runID},
		{run, "chatkit.session.id", session.String()},
		{run, "chatkit.run.outcome", "completed"},
		{run, "gen_ai.conversation.id", session.String()},
		{upstream, "gen_ai.conversation.id", session.String()},
		{upstream, "gen_ai.operation.name", "chat"},
		{upstream, "gen_ai.provider.name", "openai"},
		{upstream, "gen_ai.response.finish_reasons", "stop"},
		{upstream, "gen_ai.usage.cache_read.input_tokens", int64(0)},
		{upstream, "gen_ai.usage.reasoning.output_tokens", int64(0)},
		{upstream, "server.address", "127.0.0.1"},
		{upstream, "error.type", nil},
		{upstream, "gen_ai.request.model", "~openai/gpt-mini-latest"},
		{upstream, "gen_ai.response.model", "test/model"},
		{upstream, "gen_ai.usage.input_tokens", int64(12)},
		{upstream, "gen_ai.usage.output_tokens", int64(3)},
	} {
		if got := want.span.attribute(want.name); got != want.value {
			t.Errorf("%s has %s=%v, want %v", want.span.GetName(), want.name, got, want.value)
		}
	}
}

func checkBatches(t *testing.T, c *collector) {
	t.Helper()
	for n, header := range c.headers {
		if header.Get("Authorization") != "Bearer hunter2" || header.Get("Content-Encoding") != "gzip" ||
			header.Get("Content-Type") != "application/x-protobuf" || c.paths[n] != "/v1/traces" {
			t.Errorf("a batch came to %s with %v", c.paths[n], header)
		}
	}
	for _, word := range []string{"chat-under-test", "staging", "service.version"} {
		if !strings.Contains(c.texts[0], word) {
			t.Errorf("the resource does not have %q:\n%s", word, c.texts[0])
		}
	}
}

func checkNothingSecret(t *testing.T, c *collector, server *harness.Server, user *harness.User) {
	t.Helper()
	all := strings.Join(c.texts, "\n")
	for _, word := range []string{
		question, "the-answer", "-of-a-model", user.Sub, "somebody", user.Token, server.Secret, server.Upstream.Key, server.DatabaseURL,
		"hunter2", "helpful assistant", server.Upstream.URL, harness.UpstreamSecret,
	} {
		if strings.Contains(all, word) {
			t.Errorf("a span holds %q", word)
		}
	}
	if strings.Contains(server.Log(), "hunter2") {
		t.Error("the log holds a header of OTEL_EXPORTER_OTLP_HEADERS")
	}
}

// TestTraceOfFailures checks that a span has the kind of a failure and not its
// text.
func TestTraceOfFailures(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	server := traced(t, harness.SQLite, c, nil)
	server.Upstream.Answer("refused", harness.Script{harness.Refuse(http.StatusUnauthorized, -1, `{"error":"`+harness.UpstreamSecret+`"}`)})
	server.Upstream.Answer("cut", harness.Script{harness.Text("Half"), harness.CloseConnection()})
	user := server.User(t)
	session := user.CreateSession()
	user.Do(harness.Request{Method: http.MethodPost, Path: harness.RunsPath(session, session), Body: strings.NewReader(refused)})
	user.Do(harness.Request{Method: http.MethodPost, Path: harness.RunsPath(session, session), Body: strings.NewReader(`{"secret":"words"}`)})
	user.Say(session, "cut")
	stop(t, server)
	kinds := map[any]int{}
	for _, s := range c.all() {
		switch {
		case s.GetName() == "run" || strings.HasPrefix(s.GetName(), "chat "):
			kinds[s.attribute("error.type")]++
			if s.GetStatus().GetCode() != tracepb.Status_STATUS_CODE_ERROR || s.GetStatus().GetMessage() != "" {
				t.Errorf("%s has the status %v", s.GetName(), s.GetStatus())
			}
		case s.GetName() == "validate request" && s.attribute("chatkit.request.valid") == false:
			kinds["invalid"]++
		}
	}
	if kinds["upstream_credentials"] != 2 || kinds["upstream_broken"] != 2 || kinds["invalid"] != 1 {
		t.Errorf("the failures are %v", kinds)
	}
	checkNothingSecret(t, c, server, user)
}

// TestCallersTrace checks that the trace of a trusted caller is continued. The
// trace of any other caller is linked, and that caller can neither force
// recording nor add to the trace state.
func TestCallersTrace(t *testing.T) {
	t.Parallel()
	traceparent := "00-" + apiTraceID + "-" + apiSpanID + "-01"
	look := func(t *testing.T, env map[string]string) []span {
		t.Helper()
		c := newCollector(t)
		server := traced(t, harness.SQLite, c, env)
		user := server.User(t)
		user.Do(harness.Request{Method: http.MethodGet, Path: harness.SessionsPath, Header: http.Header{
			"Traceparent": {traceparent}, "Tracestate": {"vendor=the-callers-text"},
		}})
		stop(t, server)
		if strings.Contains(strings.Join(c.texts, "\n"), "the-callers-text") != (env["TRUSTED_PROXIES"] != "") {
			t.Error("the spans have the tracestate of an untrusted caller, or not that of a trusted one")
		}
		return c.all()
	}
	t.Run("trusted", func(t *testing.T) {
		t.Parallel()
		root := one(t, look(t, map[string]string{"TRUSTED_PROXIES": "127.0.0.0/8"}), "GET "+harness.SessionsPath, "")
		if root.trace != apiTraceID || root.parent != apiSpanID {
			t.Errorf("the request's span is %s below %s", root.trace, root.parent)
		}
	})
	t.Run("untrusted", func(t *testing.T) {
		t.Parallel()
		root := one(t, look(t, nil), "GET "+harness.SessionsPath, "")
		if root.trace == apiTraceID || root.parent != "" || len(root.GetLinks()) != 1 {
			t.Errorf("the request's span is %v", root)
		}
	})
	t.Run("untrusted caller cannot force recording", func(t *testing.T) {
		t.Parallel()
		if spans := look(t, map[string]string{"OTEL_TRACES_SAMPLER": "parentbased_always_off"}); len(spans) > 0 {
			t.Errorf("there are the spans %q", names(spans))
		}
	})
}

// TestNoTracesByDefault checks that no trace is sent unless it is configured.
func TestNoTracesByDefault(t *testing.T) {
	t.Parallel()
	for name, env := range map[string]map[string]string{
		"disabled":   {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
		"none":       {"OTEL_TRACES_EXPORTER": "none"},
		"unset":      {"OTEL_EXPORTER_OTLP_ENDPOINT": harness.Unset},
		"always_off": {"OTEL_TRACES_SAMPLER": "always_off"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCollector(t)
			server := traced(t, harness.SQLite, c, env)
			user := server.User(t)
			user.Say(user.CreateSession(), "Hello")
			stop(t, server)
			if len(c.texts) > 0 {
				t.Errorf("the collector got %q", names(c.all()))
			}
		})
	}
}

// TestCollectorFailures checks that the server retries with a busy collector
// and that an unreachable one causes a log line and no failed answer.
func TestCollectorFailures(t *testing.T) {
	t.Parallel()
	t.Run("busy", func(t *testing.T) {
		t.Parallel()
		c := newCollector(t)
		c.busy = 1
		server := traced(t, harness.SQLite, c, nil)
		server.User(t).CreateSession()
		stop(t, server)
		one(t, c.all(), "store CreateSession", "")
	})
	t.Run("unreachable", func(t *testing.T) {
		t.Parallel()
		c := newCollector(t)
		server := traced(t, harness.SQLite, c, map[string]string{
			"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_HEADERS": "authorization=hunter2",
		})
		user := server.User(t)
		if said := harness.DeltaText(user.Say(user.CreateSession(), "Hello")); said != "Hello from the model." {
			t.Errorf("the answer was %q", said)
		}
		stop(t, server)
		log := server.Log()
		if !strings.Contains(log, "OTEL_EXPORTER_OTLP_ENDPOINT") && !strings.Contains(log, "the last spans were not sent") {
			t.Errorf("no log line says that no trace was sent:\n%s", log)
		}
		if strings.Contains(log, "hunter2") {
			t.Error("the log holds a header")
		}
	})
}

// TestGRPCIsRefused checks that the protocol grpc is refused with the name of
// its variable and the value to use.
func TestGRPCIsRefused(t *testing.T) {
	t.Parallel()
	env := harness.Settings(harness.NewDatabase(t, harness.SQLite), "kq3Wm8ZtYv1xRb6NcP0sLd9FgHj2TuAe", harness.NewUpstream(t))
	env["PORT"], env["OTEL_EXPORTER_OTLP_ENDPOINT"], env["OTEL_EXPORTER_OTLP_PROTOCOL"] = "0", "http://127.0.0.1:4317", "grpc"
	result := harness.Execute(t, env, "serve")
	if result.ExitCode != 1 || !strings.Contains(result.Stderr, "OTEL_EXPORTER_OTLP_PROTOCOL") || !strings.Contains(result.Stderr, "http/protobuf") {
		t.Errorf("exit code %d:\n%s", result.ExitCode, result.Stderr)
	}
}

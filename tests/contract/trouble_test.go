package contract_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

const (
	patience = 30 * time.Second
	interval = 50 * time.Millisecond
)

// await looks again and again until it is so.
func await(t *testing.T, what string, isSo func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for !isSo() {
		select {
		case <-ticker.C:
		case <-deadline.C:
			t.Fatalf("%s: not within %s", what, patience)
		}
	}
}

// TestDatabaseOutOfReach: 503 while it is away, and all is well when it is back.
// Only PostgreSQL can be out of reach.
func TestDatabaseOutOfReach(t *testing.T) {
	t.Parallel()
	proxy := harness.NewProxy(t, harness.NewDatabase(t, harness.Postgres))
	server := harness.Start(t, harness.Options{Database: harness.Postgres, DatabaseURL: proxy.DatabaseURL})
	alice := server.User(t)
	session := alice.CreateSession()
	asked := server.Upstream.Count()
	proxy.Cut()
	for _, o := range operations(session) {
		answer := alice.Do(o.request())
		if answer.Status != http.StatusServiceUnavailable || answer.Code() != "SERVICE_UNAVAILABLE" {
			t.Errorf("%s without a database: got %d %s", o.id, answer.Status, answer.Body)
		}
		if answer.Header.Get("Retry-After") == "" {
			t.Errorf("%s without a database tells no Retry-After", o.id)
		}
	}
	if got := server.Upstream.Count(); got != asked {
		t.Errorf("a message that was not saved was sent to the model")
	}
	ready := server.Do(t, harness.Request{Method: http.MethodGet, Path: "/readyz"})
	if ready.Status != http.StatusServiceUnavailable || !strings.Contains(string(ready.Body), `"database":"failed"`) {
		t.Errorf("/readyz says %d %s", ready.Status, ready.Body)
	}
	wantOK(t, server.Do(t, harness.Request{Method: http.MethodGet, Path: "/health"}))
	proxy.Mend()
	await(t, "the server is ready again", func() bool {
		return server.Do(t, harness.Request{Method: http.MethodGet, Path: "/readyz"}).Status == http.StatusOK
	})
	alice.Say(session, "Hello")
	if messages := alice.Session(session).Messages; len(messages) != 2 {
		t.Errorf("the history has %d messages, want 2", len(messages))
	}
}

// TestInternalError: a fault of the server's own is told without its cause. Here
// somebody takes the tables away while the server runs.
func TestInternalError(t *testing.T) {
	t.Parallel()
	onEach(t, nil, func(t *testing.T, server *harness.Server) {
		alice := server.User(t)
		session := alice.CreateSession()
		settings := map[string]string{"DATABASE_URL": server.DatabaseURL}
		migrateDown(t, settings)
		for _, o := range operations(session) {
			answer := alice.Do(o.request())
			if answer.Status != http.StatusInternalServerError || answer.Code() != "INTERNAL_ERROR" {
				t.Errorf("%s without tables: got %d %s", o.id, answer.Status, answer.Body)
			}
		}
		ready := server.Do(t, harness.Request{Method: http.MethodGet, Path: "/readyz"})
		if got := strings.TrimSpace(string(ready.Body)); ready.Status != http.StatusServiceUnavailable ||
			got != `{"status":"unavailable","checks":{"database":"ok","migrations":"failed"}}` {
			t.Errorf("/readyz says %d %s", ready.Status, got)
		}
		if result := harness.Execute(t, settings, "migrate", "up"); result.ExitCode != 0 {
			t.Fatalf("migrate up: %s", result.Output())
		}
		server.Restart()
		if total := server.UserNamed(t, alice.Sub).Sessions().Meta.Total; total != 0 {
			t.Errorf("%d sessions in an empty database", total)
		}
	})
}

// TestLog: it tells what happened to whom, and nothing that is nobody's
// business.
func TestLog(t *testing.T) {
	t.Parallel()
	onEach(t, nil, func(t *testing.T, server *harness.Server) {
		alice := server.User(t)
		session := alice.CreateSession()
		server.Upstream.Answer("My question is private.", harness.Says("So is the answer."))
		run := alice.StartRun(session, "My question is private.")
		run.All()
		request := runRequest(session, strings.Replace(helloBody, "user", "My role is private.", 1))
		request.Path += "?token=" + alice.Token
		want(t, alice.Do(request), 400, "INVALID_REQUEST")
		want(t, server.Do(t, harness.Request{
			Method: http.MethodGet, Path: harness.SessionsPath, Header: header("Authorization", "Bearer my.private.token"),
		}), 401, "UNAUTHORIZED")
		server.Stop()
		log := server.Log()
		for what, secret := range map[string]string{
			"the token": alice.Token, "a refused token": "my.private.token", "the JWT secret": server.Secret,
			"the API key": server.Upstream.Key, "the database's URL": server.DatabaseURL,
			"a question": "My question is private.", "an answer": "So is the answer", "a bad value": "My role is private.",
		} {
			if strings.Contains(log, secret) {
				t.Errorf("the log tells %s", what)
			}
		}
		for what, word := range map[string]string{
			"the session's id": session.String(), "the run's id": run.ID, "the user": alice.Sub, "the duration": `"duration`,
			"the request's id": `"request":"`, "the route": "/threads/:thread_id/runs", "the client": `"client":"127.0.0.1"`,
		} {
			if !strings.Contains(log, word) {
				t.Errorf("the log does not tell %s", what)
			}
		}
		checkRequestLine(t, log, run.ID, session.String(), alice.Sub)
	})
}

// checkRequestLine wants one line on the run's request with all its words.
func checkRequestLine(t *testing.T, log string, words ...string) {
	t.Helper()
	for line := range strings.SplitSeq(log, "\n") {
		if !strings.Contains(line, `"msg":"request"`) || !strings.Contains(line, words[0]) {
			continue
		}
		for _, word := range words {
			if !strings.Contains(line, word) {
				t.Errorf("the line of the run's request lacks %s: %s", word, line)
			}
		}
		return
	}
	t.Error("the log has no line on the run's request")
}

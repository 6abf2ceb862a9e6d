package contract_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// TestDatabaseUnreachable checks that every operation answers 503 while the
// database cannot be reached and works again afterwards. SQLite is always
// reachable.
func TestDatabaseUnreachable(t *testing.T) {
	t.Parallel()
	proxy := harness.NewProxy(t, harness.NewDatabase(t, harness.Postgres))
	server := harness.Start(t, harness.Options{Database: harness.Postgres, DatabaseURL: proxy.DatabaseURL})
	alice := server.User(t)
	session := alice.CreateSession()
	asked := server.Upstream.Count()
	proxy.Disconnect()
	for _, o := range operations(session) {
		answer := alice.Do(o.request())
		if answer.Status != http.StatusServiceUnavailable || answer.Code() != "SERVICE_UNAVAILABLE" {
			t.Errorf("%s without a database: got %d %s", o.id, answer.Status, answer.Body)
		}
		if answer.Header.Get("Retry-After") == "" {
			t.Errorf("%s without a database has no Retry-After", o.id)
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
	proxy.Reconnect()
	harness.Eventually(t, harness.WaitTimeout, "the server is ready again", func() bool {
		return server.Do(t, harness.Request{Method: http.MethodGet, Path: "/readyz"}).Status == http.StatusOK
	})
	alice.Say(session, "Hello")
	if messages := alice.Session(session).Messages; len(messages) != 2 {
		t.Errorf("the history has %d messages, want 2", len(messages))
	}
}

// TestInternalError checks that the answer to an internal error does not show
// its cause. Here the tables are dropped while the server runs.
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

// Package pooler_test runs the server with a real PgBouncer in front of
// PostgreSQL.
package pooler_test

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
	"github.com/chatkit-rest/chatkit-rest/tests/postgres"
)

// clients is how many clients send messages at once: ten times as many as the
// pooler has connections.
const clients = 50

const secret = "kq3Wm8ZtYv1xRb6NcP0sLd9FgHj2TuAe"

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

// pooledDatabase returns the URL of an empty database behind a PgBouncer, with
// these parameters added.
func pooledDatabase(t *testing.T, mode postgres.PoolMode, parameters string) string {
	t.Helper()
	pooled := postgres.StartPgBouncer(t, harness.NewDatabase(t, harness.Postgres), mode)
	if parameters != "" {
		pooled += "&" + parameters
	}
	return pooled
}

// converse lets a user have a conversation of two messages, list and delete it.
func converse(t *testing.T, user *harness.User) {
	t.Helper()
	session := user.CreateSession()
	for _, text := range []string{"Hello", "Once more"} {
		if events := user.Say(session, text); events[len(events)-1].Type != "[DONE]" {
			t.Errorf("the answer ends with %q", events[len(events)-1].Type)
		}
	}
	if messages := user.Session(session).Messages; len(messages) != 4 {
		t.Errorf("the session has %d messages, want 4", len(messages))
	}
	if listed := user.Sessions().Data; len(listed) != 1 {
		t.Errorf("the user has %d sessions, want 1", len(listed))
	}
	user.DeleteSession(session)
}

// converseAtOnce lets many users have a conversation at the same time.
func converseAtOnce(t *testing.T, server *harness.Server) {
	t.Helper()
	var all sync.WaitGroup
	for range clients {
		user := server.User(t)
		all.Go(func() { converse(t, user) })
	}
	all.Wait()
}

// TestManyClientsThroughPgBouncer covers every mode of PgBouncer and of the
// statements that the URL can ask for.
func TestManyClientsThroughPgBouncer(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		mode       postgres.PoolMode
		parameters string
		logged     string
	}{
		"transaction mode":            {postgres.TransactionMode, "", "cache describe"},
		"session mode":                {postgres.SessionMode, "", "cache describe"},
		"no statement cache":          {postgres.TransactionMode, "statement_cache_capacity=0", "cache describe"},
		"no cache":                    {postgres.TransactionMode, "statement_cache_capacity=0&description_cache_capacity=0", "exec"},
		"mode exec in the URL":        {postgres.TransactionMode, "default_query_exec_mode=exec", "exec"},
		"mode simple in the URL":      {postgres.TransactionMode, "default_query_exec_mode=simple_protocol", "simple protocol"},
		"statement cache in sessions": {postgres.SessionMode, "default_query_exec_mode=cache_statement", "cache statement"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := map[string]string{}
			if test.mode == postgres.SessionMode {
				env["DATABASE_MAX_CONNS"] = "4" // A client keeps a connection of PgBouncer's five for itself.
			}
			server := harness.Start(t, harness.Options{
				Database: harness.Postgres, DatabaseURL: pooledDatabase(t, test.mode, test.parameters), Env: env,
			})
			converseAtOnce(t, server)
			if want := `"default_query_exec_mode":"` + test.logged + `"`; !strings.Contains(server.Log(), want) {
				t.Errorf("the log lacks %s", want)
			}
		})
	}
}

// TestNoStatementCacheWithoutPooler: the parameter is honoured on a direct
// connection too.
func TestNoStatementCacheWithoutPooler(t *testing.T) {
	t.Parallel()
	server := harness.Start(t, harness.Options{
		Database: harness.Postgres, DatabaseURL: harness.NewDatabase(t, harness.Postgres) + "&statement_cache_capacity=0",
	})
	converse(t, server.User(t))
	if strings.Contains(server.Log(), "connection pooler") {
		t.Error("the log names a pooler where there is none")
	}
}

// TestCommandsThroughPgBouncer: the report and the migrations agree with serve.
func TestCommandsThroughPgBouncer(t *testing.T) {
	t.Parallel()
	env := harness.Settings(pooledDatabase(t, postgres.TransactionMode, ""), secret, harness.NewUpstream(t))
	for _, direction := range []string{"up", "down", "up", "status"} {
		if result := harness.Execute(t, env, "migrate", direction); result.ExitCode != 0 {
			t.Fatalf("migrate %s: %s", direction, result.Output())
		}
	}
	result := harness.Execute(t, env, "verify-env")
	if result.ExitCode != 0 || !strings.Contains(result.Stdout, "through a connection pooler") {
		t.Errorf("verify-env gives %d:\n%s", result.ExitCode, result.Output())
	}
}

// TestMigrationsAtOnceThroughPgBouncer: more processes than the pooler has
// connections migrate one empty database, and each succeeds.
func TestMigrationsAtOnceThroughPgBouncer(t *testing.T) {
	t.Parallel()
	env := map[string]string{"DATABASE_URL": pooledDatabase(t, postgres.TransactionMode, ""), "DATABASE_MAX_CONNS": "1"}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if result := harness.Execute(t, env, "migrate", "up"); result.ExitCode != 0 {
				t.Errorf("migrate up: %s", result.Output())
			}
		})
	}
	all.Wait()
}

// TestContradictoryQueryMode: a mode and a cache of size 0 that exclude each
// other are named at the start.
func TestContradictoryQueryMode(t *testing.T) {
	t.Parallel()
	database := harness.NewDatabase(t, harness.Postgres)
	for _, parameters := range []string{
		"default_query_exec_mode=cache_statement&statement_cache_capacity=0",
		"default_query_exec_mode=cache_describe&description_cache_capacity=0",
	} {
		result := harness.Execute(t, map[string]string{"DATABASE_URL": database + "&" + parameters}, "migrate", "up")
		mode, _ := url.ParseQuery(parameters)
		if result.ExitCode != 1 || !strings.Contains(result.Stderr, mode.Get("default_query_exec_mode")) {
			t.Errorf("%s: got %d: %s", parameters, result.ExitCode, result.Output())
		}
	}
}

// TestParameterThatPgBouncerRefuses is named with the setting it stands in.
func TestParameterThatPgBouncerRefuses(t *testing.T) {
	t.Parallel()
	env := map[string]string{"DATABASE_URL": pooledDatabase(t, postgres.TransactionMode, "search_path=public")}
	result := harness.Execute(t, env, "migrate", "up")
	if result.ExitCode != 1 || !strings.Contains(result.Stderr, "search_path") {
		t.Errorf("got %d: %s", result.ExitCode, result.Output())
	}
}

// TestReadinessThroughPgBouncer: the check of a load balancer runs on every
// connection alike.
func TestReadinessThroughPgBouncer(t *testing.T) {
	t.Parallel()
	server := harness.Start(t, harness.Options{Database: harness.Postgres, DatabaseURL: pooledDatabase(t, postgres.TransactionMode, "")})
	for range clients {
		if answer := server.User(t).Do(harness.Request{Method: http.MethodGet, Path: "/readyz"}); answer.Status != http.StatusOK {
			t.Fatalf("/readyz gives %d: %s", answer.Status, answer.Body)
		}
	}
}

package contract_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// migrateDown reverts every migration.
func migrateDown(t *testing.T, env map[string]string) {
	t.Helper()
	for range 100 {
		result := harness.Execute(t, env, "migrate", "down")
		wantSuccess(t, result)
		status := harness.Execute(t, env, "migrate", "status")
		wantSuccess(t, status)
		if !strings.Contains(status.Stdout, "applied") {
			return
		}
	}
	t.Fatal("migrate down does not end")
}

// TestMigrate migrates up, down and up again.
func TestMigrate(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		env := map[string]string{"DATABASE_URL": harness.NewDatabase(t, database)}
		status := func() string {
			result := harness.Execute(t, env, "migrate", "status")
			wantSuccess(t, result)
			return result.Stdout
		}
		if got := status(); !strings.Contains(got, "pending") || strings.Contains(got, "applied") {
			t.Errorf("an empty database's status is\n%s", got)
		}
		for range 2 { // The second time it has nothing to do.
			wantSuccess(t, harness.Execute(t, env, "migrate", "up"))
			if got := status(); !strings.Contains(got, "applied") || strings.Contains(got, "pending") {
				t.Errorf("after up the status is\n%s", got)
			}
		}
		migrateDown(t, env)
		if got := status(); strings.Contains(got, "applied") {
			t.Errorf("after down the status is\n%s", got)
		}
		wantSuccess(t, harness.Execute(t, env, "migrate", "up"))
		server := harness.Start(t, harness.Options{Database: database, DatabaseURL: env["DATABASE_URL"], Args: []string{}})
		alice := server.User(t)
		alice.Say(alice.CreateSession(), "Hello")
	})
}

// TestServeUnmigrated checks that serve refuses a PostgreSQL without the schema
// and migrates an SQLite by itself.
func TestServeUnmigrated(t *testing.T) {
	t.Parallel()
	env := harness.Settings(harness.NewDatabase(t, harness.Postgres), strings.Repeat("kq3Wm8Zt", 3)+"Yv1xRb6N", harness.NewUpstream(t))
	env["PORT"] = "0"
	result := harness.Execute(t, env, "serve")
	if result.ExitCode <= 0 || !strings.Contains(result.Stderr, "migrate up") || !strings.Contains(result.Stderr, "--migrate") {
		t.Errorf("serve without a schema: exit code %d,\n%s", result.ExitCode, result.Output())
	}
	server := harness.Start(t, harness.Options{Database: harness.SQLite, Args: []string{}})
	server.User(t).CreateSession()
}

// TestReplicas starts several servers on one empty database at once and uses
// them as one service.
func TestReplicas(t *testing.T) {
	t.Parallel()
	url, secret := harness.NewDatabase(t, harness.Postgres), strings.Repeat("kq3Wm8Zt", 3)+"Yv1xRb6N"
	upstream := harness.NewUpstream(t)
	servers := make([]*harness.Server, 3)
	var all sync.WaitGroup
	for n := range servers {
		all.Go(func() {
			servers[n] = harness.Start(t, harness.Options{
				Database: harness.Postgres, DatabaseURL: url, Upstream: upstream, Env: map[string]string{"JWT_SECRET": secret},
			})
		})
	}
	all.Wait()
	if t.Failed() {
		return
	}
	alice := servers[0].User(t)
	var answers sync.Map
	for n, server := range servers {
		same := server.UserNamed(t, alice.Sub)
		all.Go(func() { answers.Store(n, createAtOnce(same, 20)) })
	}
	all.Wait()
	made := 0
	answers.Range(func(_, value any) bool {
		list, _ := value.([]harness.Answer)
		for _, answer := range list {
			if answer.Status == http.StatusOK {
				made++
			}
		}
		return true
	})
	if total := alice.Sessions().Meta.Total; made != 10 || total != 10 {
		t.Errorf("three servers made %d sessions, the list has %d, want 10", made, total)
	}

	// A run at one is in progress at the others.
	session := alice.Sessions().Data[0].ID
	gate := make(chan struct{})
	upstream.Answer("Wait", harness.Script{harness.Text("One"), harness.Wait(gate), harness.Finish("stop"), harness.Done()})
	run := alice.StartRun(session, "Wait")
	run.Until(itemAdded)
	other := servers[1].UserNamed(t, alice.Sub)
	want(t, other.Do(runRequest(session, helloBody)), 409, "RUN_IN_PROGRESS")
	close(gate)
	run.All()
	other.Say(session, "Hello")
	if messages := servers[2].UserNamed(t, alice.Sub).Session(session).Messages; len(messages) != 4 {
		t.Errorf("the third server's history has %d messages, want 4", len(messages))
	}
}

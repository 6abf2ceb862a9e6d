package replicas_test

import (
	"crypto/rand"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
	"github.com/chatkit-rest/chatkit-rest/tests/redis"
)

// TestFollowOnAnotherReplica follows a run at a replica that does not execute it:
// while it runs, after a number, after its end, and while Redis is away.
func TestFollowOnAnotherReplica(t *testing.T) {
	t.Parallel()
	upstream, shared := harness.NewUpstream(t), redis.Start(t, redis.Options{})
	secret := rand.Text() + rand.Text()
	options := harness.Options{
		Database: harness.Postgres, DatabaseURL: harness.NewDatabase(t, harness.Postgres), Upstream: upstream,
		Env: map[string]string{"JWT_SECRET": secret, "REDIS_URL": shared.URL, "RUN_LOG_TTL": "5m"},
	}
	owner, other := harness.Start(t, options), harness.Start(t, options)
	owner.Secret, other.Secret = secret, secret
	alice, elsewhere := owner.UserNamed(t, "alice"), other.UserNamed(t, "alice")
	session := alice.CreateSession()
	gate := make(chan struct{})
	upstream.Answer("Hello", harness.Script{harness.Text("It begins, "), harness.Wait(gate), harness.Text("and it ends.")})
	run := alice.StartRun(session, "Hello")
	first := run.Until("thread.item.updated")

	awaitCopy(t, shared, run.ID)
	live := elsewhere.Follow(session, run.ID, 0)
	begun := live.Until("thread.item.updated")
	close(gate)
	want := slices.Concat(first, run.All())
	if got := slices.Concat(begun, live.All()); !reflect.DeepEqual(got, want) {
		t.Errorf("the other replica sends %v\nthe owner %v", harness.Types(got), harness.Types(want))
	}
	if got := elsewhere.Follow(session, run.ID, 3).All(); !reflect.DeepEqual(got, want[3:]) {
		t.Errorf("after event 3 the other replica sends %v\nwant %v", harness.Types(got), harness.Types(want[3:]))
	}

	shared.Kill()
	events := harness.Request{Method: http.MethodGet, Path: harness.RunPath(session, run.ID) + "/events"}
	away := elsewhere.Do(events)
	if away.Status != http.StatusServiceUnavailable || away.Header.Get("Retry-After") == "" {
		t.Errorf("without Redis the other replica answers %d %s", away.Status, away.Body)
	}
	if got := alice.Follow(session, run.ID, 0).All(); !reflect.DeepEqual(got, want) {
		t.Errorf("without Redis the owner sends %v", harness.Types(got))
	}
	upstream.Answer("Again", harness.Script{harness.Text("Without Redis.")})
	again := alice.StartRun(session, "Again")
	wantAgain := again.All()
	shared.Restart()
	awaitCopy(t, shared, again.ID)
	if got := elsewhere.Follow(session, again.ID, 0).All(); !reflect.DeepEqual(got, wantAgain) {
		t.Errorf("when Redis is back the other replica sends %v\nwant %v", harness.Types(got), harness.Types(wantAgain))
	}
}

// awaitCopy waits until Redis has the events of a run.
func awaitCopy(t *testing.T, server *redis.Server, run string) {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		if slices.ContainsFunc(server.Keys(t), func(key string) bool { return strings.Contains(key, run) }) {
			return
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-timeout:
			t.Fatal("after 20 s Redis has no events of the run")
		}
	}
}

package replicas_test

import (
	"crypto/rand"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/gen/client"
	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// TestCancelReachesOtherReplicas cancels a run at a replica that does not execute
// it. The run is cancelled at once, and its owner closes the connection to the
// model provider when it renews its leases. The other replica cannot follow the
// run.
func TestCancelReachesOtherReplicas(t *testing.T) {
	t.Parallel()
	upstream := harness.NewUpstream(t)
	secret := rand.Text() + rand.Text()
	options := harness.Options{
		Database: harness.Postgres, DatabaseURL: harness.NewDatabase(t, harness.Postgres), Upstream: upstream,
		Env: map[string]string{"JWT_SECRET": secret},
	}
	owner, other := harness.Start(t, options), harness.Start(t, options)
	owner.Secret, other.Secret = secret, secret
	alice, elsewhere := owner.UserNamed(t, "alice"), other.UserNamed(t, "alice")
	session := alice.CreateSession()
	upstream.Answer("Hello", harness.Script{harness.Text("It begins"), harness.Hang()})
	run := alice.StartRun(session, "Hello")
	run.Until("thread.item.updated")

	events := elsewhere.Do(harness.Request{Method: http.MethodGet, Path: harness.RunPath(session, run.ID) + "/events"})
	if events.Status != http.StatusServiceUnavailable || events.Header.Get("Retry-After") == "" {
		t.Errorf("another replica's run is followed with %d %s", events.Status, events.Body)
	}
	if cancelled := elsewhere.CancelRun(session, run.ID); cancelled.Status != client.RunStatusCancelled {
		t.Errorf("the run is %s", cancelled.Status)
	}
	begin := time.Now()
	select {
	case <-upstream.Await(t, "Hello").Disconnected():
		t.Logf("the connection to the model provider was closed after %s", time.Since(begin).Round(time.Millisecond))
	case <-time.After(deletionDelay):
		t.Fatalf("after %s the model is still asked", deletionDelay)
	}
	rest := run.All()
	if !slices.ContainsFunc(rest, func(event harness.Event) bool { return strings.Contains(event.Raw, "The run was cancelled.") }) {
		t.Errorf("the stream ends with %v and does not say why", harness.Types(rest))
	}
	ended := elsewhere.GetRun(session, run.ID)
	if ended.Status != client.RunStatusCancelled || ended.Error == nil || ended.Error.Code != "cancelled" || ended.FirstTokenAt == nil {
		t.Errorf("the run is %+v, error %+v", ended, ended.Error)
	}
	if messages := elsewhere.Session(session).Messages; len(messages) != 2 {
		t.Errorf("the session has %d messages, want the question and the part of the answer", len(messages))
	}
}

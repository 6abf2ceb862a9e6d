package replicas_test

import (
	"crypto/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// deletionDelay is how long a replica may take to notice that another one
// deleted the session of its run: the pause between two renewals of its leases,
// 5 s, and what this machine adds to it.
const deletionDelay = 8 * time.Second

// TestDeletionReachesOtherReplicas deletes a session at one replica while
// another one streams its answer. The other one closes its connection to the
// model provider and sends its client an error event.
func TestDeletionReachesOtherReplicas(t *testing.T) {
	t.Parallel()
	upstream := harness.NewUpstream(t)
	secret := rand.Text() + rand.Text()
	options := harness.Options{
		Database: harness.Postgres, DatabaseURL: harness.NewDatabase(t, harness.Postgres), Upstream: upstream,
		Env: map[string]string{"JWT_SECRET": secret},
	}
	streaming, deleting := harness.Start(t, options), harness.Start(t, options)
	streaming.Secret, deleting.Secret = secret, secret
	user := streaming.UserNamed(t, "alice")
	session := user.CreateSession()
	upstream.Answer("Hello", harness.Script{harness.Text("It begins"), harness.Hang()})
	run := user.StartRun(session, "Hello")
	defer run.Close()
	run.Until("thread.item.updated")

	begin := time.Now()
	deleting.UserNamed(t, "alice").DeleteSession(session)
	select {
	case <-upstream.Await(t, "Hello").Disconnected():
		t.Logf("the connection to the model provider was closed after %s", time.Since(begin).Round(time.Millisecond))
	case <-time.After(deletionDelay):
		t.Fatalf("after %s the model is still asked", deletionDelay)
	}
	rest := run.All()
	if !slices.ContainsFunc(rest, func(event harness.Event) bool { return strings.Contains(event.Raw, "The session was deleted.") }) {
		t.Errorf("the stream ends with %v and does not say why", harness.Types(rest))
	}
	streaming.AwaitLog(t, `"status":"cancelled"`)
	_, log, _ := strings.Cut(streaming.Log(), "run started")
	for _, level := range []string{"WARN", "ERROR"} {
		if strings.Contains(log, `"level":"`+level+`"`) {
			t.Errorf("the log of the run has a line of level %s", level)
		}
	}
	other := user.CreateSession()
	if said := harness.DeltaText(user.Say(other, "Go on")); said == "" {
		t.Error("the next run has no answer")
	}
}

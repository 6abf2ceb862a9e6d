package streams_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// A client of the REST API that disconnects leaves its run: the run goes on to its
// end, and can be followed.
func TestDisconnectDetaches(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		s := newStand(t, harness.Options{Database: database})
		for _, way := range disconnections() {
			t.Run("mid stream, "+way.name, func(t *testing.T) {
				t.Parallel()
				testDetach(t, s, way, true)
			})
			t.Run("before the first byte, "+way.name, func(t *testing.T) {
				t.Parallel()
				testDetach(t, s, way, false)
			})
		}
	})
}

func testDetach(t *testing.T, s *stand, way disconnection, midStream bool) {
	t.Helper()
	user := s.User(t)
	session := user.CreateSession()
	question := t.Name()
	goOn := make(chan struct{})
	script := harness.Script{harness.Wait(goOn), harness.Text("still came."), harness.Finish("stop"), harness.Done()}
	if midStream {
		script = append(harness.Script{harness.Text("It ")}, script...)
	}
	s.Upstream.Answer(question, script)
	run := sendRun(t, s, user, session, question)
	asked := s.Upstream.Await(t, question)
	if midStream {
		run.open(t)
		run.until(t, textDelta)
	}
	id := activeRun(t, user, session)

	if err := way.disconnect(run); err != nil {
		t.Fatal(err)
	}
	awaitDetached(t, s, id, soon)
	checkRunning(t, s, id)
	select {
	case <-asked.Done():
		t.Error("the model is no longer asked")
	default:
	}
	close(goOn)
	if row := s.ended(t, id, soon); row.Status != "completed" {
		t.Errorf("the run is %s, code %q, reason %q", row.Status, row.FailureCode, row.FailureReason)
	}
	want := "still came."
	if midStream {
		want = "It " + want
	}
	checkHistory(t, user, session, line{"user", question}, line{"assistant", want})
	readTranscript(t, user.Follow(session, id, 0).All()).check(t, question, want, true, false)
	checkGoesOn(t, user, session)
}

// activeRun returns the id of the session's run in progress.
func activeRun(t *testing.T, user *harness.User, session uuid.UUID) string {
	t.Helper()
	active := user.Session(session).ActiveRun
	if active == nil {
		t.Fatal("the session has no active run")
	}
	return active.ID.String()
}

// awaitDetached waits until the request that started the run has ended: then its
// line is in the server's log.
func awaitDetached(t *testing.T, s *stand, run string, limit time.Duration) {
	t.Helper()
	harness.Eventually(t, limit, "the request of the run has ended", func() bool {
		return strings.Contains(s.Log(), `"run":"`+run+`","request":`)
	})
}

func checkRunning(t *testing.T, s *stand, run string) {
	t.Helper()
	if row, _ := s.run(t, run); row.Status != "running" {
		t.Errorf("the run is %s, code %q", row.Status, row.FailureCode)
	}
}

// A shutdown waits for a run without followers.
func TestShutdownWaitsForDetachedRun(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		s := newStand(t, harness.Options{Database: database, Env: map[string]string{"SHUTDOWN_TIMEOUT": "30s"}})
		user := s.User(t)
		session := user.CreateSession()
		goOn := make(chan struct{})
		s.Upstream.Answer("Hello", harness.Script{
			harness.Text("It begins "), harness.Wait(goOn), harness.Text("and ends."), harness.Finish("stop"), harness.Done(),
		})
		run := user.StartRun(session, "Hello")
		run.Until("thread.item.updated")
		run.Close()
		awaitDetached(t, s, run.ID, soon)

		s.Terminate()
		harness.Eventually(t, soon, "the server takes no connections", func() bool { return !isListening(t, s) })
		checkRunning(t, s, run.ID)
		close(goOn)
		within(t, shutdownGrace, "the server has stopped", s.Exited())
		checkExit(t, s)
		if row := s.ended(t, run.ID, soon); row.Status != "completed" {
			t.Errorf("the run is %s", row.Status)
		}
		s.Restart()
		checkHistory(t, user, session, line{"user", "Hello"}, line{"assistant", "It begins and ends."})
	})
}

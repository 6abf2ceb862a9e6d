package streams_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// disconnectBound is how long upstream's connection may outlive the client's: some
// milliseconds on a quiet machine. The tests log how long it was.
const disconnectBound = 5 * time.Second

// A client of the ChatKit protocol that disconnects cancels its run, and the text
// so far is kept.
func TestDisconnectCancels(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		s := newStand(t, harness.Options{Database: database})
		for _, way := range disconnections() {
			t.Run("mid stream, "+way.name, func(t *testing.T) {
				t.Parallel()
				testDisconnectMidStream(t, s, way)
			})
			t.Run("before the first byte, "+way.name, func(t *testing.T) {
				t.Parallel()
				testDisconnectEarly(t, s, way)
			})
		}
	})
}

func testDisconnectMidStream(t *testing.T, s *stand, way disconnection) {
	t.Helper()
	user := s.User(t)
	session := user.CreateSession()
	question := t.Name()
	s.Upstream.Answer(question, harness.Script{harness.Text("What had "), harness.Text("come."), harness.Hang()},
		harness.DefaultScript())
	run := sendChatKit(t, s, user, session, question)
	run.open(t)
	for said := ""; said != "What had come."; {
		said += run.until(t, textDelta).said()
	}

	disconnect(t, s, run, way, question)
	row := s.ended(t, run.id(), soon)
	if row.Status != "cancelled" || row.FailureCode != "client_left" || row.FailureReason == "" {
		t.Errorf("the run is %s, code %q, reason %q", row.Status, row.FailureCode, row.FailureReason)
	}
	checkHistory(t, user, session, line{"user", question}, line{"assistant", "What had come."})
	checkGoesOn(t, user, session)
	checkHistory(t, user, session, line{"user", question}, line{"assistant", "What had come."},
		line{"user", askWord + " and then, " + question}, line{"assistant", "Hello from the model."})
}

func testDisconnectEarly(t *testing.T, s *stand, way disconnection) {
	t.Helper()
	user := s.User(t)
	session := user.CreateSession()
	question := t.Name()
	s.Upstream.Answer(question, harness.Script{harness.Hang()})
	run := sendChatKit(t, s, user, session, question)
	s.Upstream.Await(t, question)

	disconnect(t, s, run, way, question)
	checkHistory(t, user, session, line{"user", question})
	var row runRow
	harness.Eventually(t, soon, "the run has ended", func() bool {
		row = s.onlyRun(t, session)
		return row.Status != "running"
	})
	if row.Status != "cancelled" || row.FailureCode != "client_left" || row.FailureReason == "" {
		t.Errorf("the run is %s, code %q, reason %q", row.Status, row.FailureCode, row.FailureReason)
	}
	checkGoesOn(t, user, session)
}

// disconnect checks that upstream's connection is closed when the client's is.
// Upstream hangs, so nothing else ends its script.
func disconnect(t *testing.T, s *stand, run *wireRun, way disconnection, question string) {
	t.Helper()
	asked := s.Upstream.Await(t, question)
	if err := way.disconnect(run); err != nil {
		t.Fatal(err)
	}
	took := within(t, disconnectBound, "upstream's connection is closed", asked.Done())
	t.Logf("upstream's connection was closed %.1f ms after the client disconnected", float64(took.Microseconds())/1000)
	if way.name == "half closed" {
		run.ends(t, disconnectBound)
	}
}

// onlyRun returns the row of the only run of a session.
func (s *stand) onlyRun(t *testing.T, session uuid.UUID) runRow {
	t.Helper()
	rows := s.runsOf(t, session)
	if len(rows) != 1 {
		t.Fatalf("the session has %d runs, want 1", len(rows))
	}
	return rows[0]
}

// Deleting a session ends its run.
func TestDeletedSessionEndsItsRun(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		s := newStand(t, harness.Options{Database: database})
		user := s.User(t)
		session := user.CreateSession()
		s.Upstream.Answer("Hello", harness.Script{harness.Text("It begins"), harness.Hang()})
		run := user.StartRun(session, "Hello")
		events := run.Until("thread.item.updated")
		user.DeleteSession(session)
		told := readTranscript(t, append(events, run.All()...))
		if told.fault.Code != "stream.error" || told.types[len(told.types)-1] != endOfStream {
			t.Errorf("the stream ended with %v", told.types)
		}
		within(t, disconnectBound, "upstream's connection is closed", s.Upstream.Await(t, "Hello").Done())
		harness.Eventually(t, soon, "the run's row is gone", func() bool {
			_, there := s.run(t, run.ID)
			return !there
		})
	})
}

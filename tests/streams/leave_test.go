package streams_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// leaveBound is how long upstream's connection may outlive the client's. It
// is some milliseconds on a quiet machine; the tests tell how long it was.
const leaveBound = 5 * time.Second

func TestClientLeaves(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		s := newStand(t, harness.Options{Database: database})
		for _, way := range leavings() {
			t.Run("mid stream, "+way.name, func(t *testing.T) {
				t.Parallel()
				testLeaveMidStream(t, s, way)
			})
			t.Run("before the first byte, "+way.name, func(t *testing.T) {
				t.Parallel()
				testLeaveEarly(t, s, way)
			})
		}
	})
}

func testLeaveMidStream(t *testing.T, s *stand, way leaving) {
	t.Helper()
	user := s.User(t)
	session := user.CreateSession()
	question := t.Name()
	s.Upstream.Answer(question, harness.Script{harness.Text("What had "), harness.Text("come."), harness.Hang()},
		harness.DefaultScript())
	run := sendRun(t, s, user, session, question)
	run.open(t)
	for said := ""; said != "What had come."; {
		said += run.until(t, textDelta).said()
	}

	leave(t, s, run, way, question)
	row := s.ended(t, run.id(), soon)
	if row.Status != "cancelled" || row.FailureCode != "client_left" || row.FailureReason == "" {
		t.Errorf("the run is %s, code %q, reason %q", row.Status, row.FailureCode, row.FailureReason)
	}
	checkHistory(t, user, session, line{"user", question}, line{"assistant", "What had come."})
	checkGoesOn(t, user, session)
	checkHistory(t, user, session, line{"user", question}, line{"assistant", "What had come."},
		line{"user", askWord + " and then, " + question}, line{"assistant", "Hello from the model."})
}

func testLeaveEarly(t *testing.T, s *stand, way leaving) {
	t.Helper()
	user := s.User(t)
	session := user.CreateSession()
	question := t.Name()
	s.Upstream.Answer(question, harness.Script{harness.Hang()})
	run := sendRun(t, s, user, session, question)
	s.Upstream.Await(t, question)

	leave(t, s, run, way, question)
	checkHistory(t, user, session, line{"user", question})
	var row runRow
	eventually(t, soon, "the run has ended", func() bool {
		row = s.onlyRun(t, session)
		return row.Status != "running"
	})
	if row.Status != "cancelled" || row.FailureCode != "client_left" || row.FailureReason == "" {
		t.Errorf("the run is %s, code %q, reason %q", row.Status, row.FailureCode, row.FailureReason)
	}
	checkGoesOn(t, user, session)
}

// leave goes away and sees that upstream's connection is closed then. Upstream
// hangs, so nothing else ends its script.
func leave(t *testing.T, s *stand, run *wireRun, way leaving, question string) {
	t.Helper()
	asked := s.Upstream.Await(t, question)
	if err := way.leave(run); err != nil {
		t.Fatal(err)
	}
	took := within(t, leaveBound, "upstream's connection is closed", asked.Done())
	t.Logf("upstream's connection was closed %.1f ms after the client left", float64(took.Microseconds())/1000)
	if way.name == "half closed" {
		run.ends(t, leaveBound)
	}
}

// onlyRun is the row of a session that has one run.
func (s *stand) onlyRun(t *testing.T, session uuid.UUID) runRow {
	t.Helper()
	rows := s.runsOf(t, session)
	if len(rows) != 1 {
		t.Fatalf("the session has %d runs, want 1", len(rows))
	}
	return rows[0]
}

// A session that is deleted takes its run with it.
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
		within(t, leaveBound, "upstream's connection is closed", s.Upstream.Await(t, "Hello").Done())
		eventually(t, soon, "the run's row is gone", func() bool {
			_, there := s.run(t, run.ID)
			return !there
		})
	})
}

package streams_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// leasePatience is how long the runs of a killed server may count as running: on
// PostgreSQL, until their leases end.
const leasePatience = 40 * time.Second

// crashed is a run that was executing when its server was killed, and what its
// client had received by then.
type crashed struct {
	user     *harness.User
	session  uuid.UUID
	question string
	// runID is empty where no answer had come.
	runID string
	// answered says that the client had received the whole answer.
	answered bool
}

// The server is killed while some runs have sent no byte, some are streaming
// and some are complete. Every message that a client was sent as stored is in
// the history.
func TestKilledServer(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		s := newStand(t, harness.Options{Database: database, Env: map[string]string{"MAX_SESSIONS_PER_USER": "100"}})
		user := s.User(t)
		const each = 8
		var runs []crashed
		for n := range each {
			runs = append(runs,
				beforeTheFirstByte(t, s, user, n), inTheMiddle(t, s, user, n), justComplete(t, s, user, n))
		}
		s.Kill()
		s.Restart()
		for _, run := range runs {
			checkSurvived(t, run)
		}
		for _, run := range runs {
			checkMarked(t, s, run)
			checkGoesOn(t, run.user, run.session)
		}
	})
}

func beforeTheFirstByte(t *testing.T, s *stand, user *harness.User, n int) crashed {
	t.Helper()
	run := crashed{user: user, session: user.CreateSession(), question: fmt.Sprintf("Before the first byte, %d", n)}
	s.Upstream.Answer(run.question, harness.Script{harness.Hang()})
	sendRun(t, s, user, run.session, run.question)
	s.Upstream.Await(t, run.question)
	return run
}

func inTheMiddle(t *testing.T, s *stand, user *harness.User, n int) crashed {
	t.Helper()
	run := crashed{user: user, session: user.CreateSession(), question: fmt.Sprintf("In the middle, %d", n)}
	// Some clients have received only their own message.
	steps, until := harness.Script{harness.Comment("OPENROUTER PROCESSING"), harness.Hang()}, itemDone
	if n%2 == 0 {
		steps, until = harness.Script{harness.Text("It begins"), harness.Hang()}, textDelta
	}
	s.Upstream.Answer(run.question, steps)
	stream := sendRun(t, s, user, run.session, run.question)
	stream.open(t)
	stream.until(t, until)
	run.runID = stream.id()
	return run
}

func justComplete(t *testing.T, s *stand, user *harness.User, n int) crashed {
	t.Helper()
	run := crashed{
		user: user, session: user.CreateSession(), question: fmt.Sprintf("Just complete, %d", n), answered: true,
	}
	stream := sendRun(t, s, user, run.session, run.question)
	stream.open(t)
	stream.until(t, itemDone) // the user's
	stream.until(t, itemDone)
	run.runID = stream.id()
	return run
}

// checkSurvived checks the history once the server runs again.
func checkSurvived(t *testing.T, run crashed) {
	t.Helper()
	want := []line{{"user", run.question}}
	if run.answered {
		want = append(want, line{"assistant", "Hello from the model."})
	}
	checkHistory(t, run.user, run.session, want...)
}

// checkMarked waits until the run is stored as failed.
func checkMarked(t *testing.T, s *stand, run crashed) {
	t.Helper()
	var row runRow
	harness.Eventually(t, leasePatience, "the run of the killed server is marked", func() bool {
		row = s.onlyRun(t, run.session)
		return row.Status != "running"
	})
	if run.runID != "" {
		if byID, there := s.run(t, run.runID); !there || byID != row {
			t.Errorf("%s: the session's run is not the one the client was told of", run.question)
		}
	}
	if run.answered {
		if row.Status != "completed" || row.FailureCode != "" {
			t.Errorf("%s: the run is %s, code %q", run.question, row.Status, row.FailureCode)
		}
		return
	}
	checkFailedRow(t, row, "server_stopped")
	if !row.EndedAt.Valid {
		t.Errorf("%s: the run has no time at which it ended", run.question)
	}
}

// A thread whose server was killed takes the next message: at once on SQLite,
// which one server uses, and on PostgreSQL once the run's lease has ended.
func TestThreadOfKilledServerTakesMessages(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		s := newStand(t, harness.Options{Database: database})
		user := s.User(t)
		run := inTheMiddle(t, s, user, 0)
		s.Kill()
		s.Restart()

		var refused []int
		begin := time.Now()
		harness.Eventually(t, leasePatience, "the thread takes a message", func() bool {
			answer, err := user.API.CreateRunWithResponse(t.Context(), run.session, run.session, harness.MessageBody("Go on"))
			if err != nil {
				t.Fatal(err)
			}
			if answer.StatusCode() == http.StatusOK {
				return true
			}
			refused = append(refused, answer.StatusCode())
			return false
		})
		t.Logf("the thread took a message %s after the start", time.Since(begin).Round(time.Millisecond))
		if database == harness.SQLite && len(refused) > 0 {
			t.Errorf("the thread refused %d messages first", len(refused))
		}
		if slices.ContainsFunc(refused, func(status int) bool { return status != http.StatusConflict }) {
			t.Errorf("the thread refused messages with %v", slices.Compact(refused))
		}
		checkHistory(t, user, run.session,
			line{"user", run.question}, line{"user", "Go on"}, line{"assistant", "Hello from the model."})
		rows := s.runsOf(t, run.session)
		if len(rows) != 2 {
			t.Fatalf("the session has %d runs, want 2", len(rows))
		}
		checkFailedRow(t, rows[0], "server_stopped")
		if rows[1].Status != "completed" {
			t.Errorf("the second run is %s", rows[1].Status)
		}
	})
}

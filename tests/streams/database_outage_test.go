package streams_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/client"
	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// savePatience is how long a server tries to save an answer.
const savePatience = 10 * time.Second

// newDatabaseRelay starts a server whose PostgreSQL can be disconnected.
func newDatabaseRelay(t *testing.T) (*stand, *relay) {
	t.Helper()
	direct := harness.NewDatabase(t, harness.Postgres)
	between := newRelay(t, direct)
	s := newStand(t, harness.Options{DatabaseURL: between.URL})
	s.lookInto(t, direct)
	return s, between
}

// holding starts a run that has sent some text and waits.
func holding(t *testing.T, s *stand, user *harness.User, question string) (session uuid.UUID, run *wireRun, goOn chan struct{}) {
	t.Helper()
	session, goOn = user.CreateSession(), make(chan struct{})
	s.Upstream.Answer(question, harness.Script{
		harness.Text("It begins "), harness.Wait(goOn), harness.Text("and ends."), harness.Finish("stop"), harness.Done(),
	})
	run = sendRun(t, s, user, session, question)
	run.open(t)
	run.until(t, textDelta)
	return session, run, goOn
}

// A short outage of the database loses no answer: the answer is sent as complete
// once it is stored, and not before.
func TestDatabaseAwayForAMoment(t *testing.T) {
	t.Parallel()
	s, between := newDatabaseRelay(t)
	user := s.User(t)
	other := user.CreateSession()
	user.Say(other, "Warm up")
	session, run, goOn := holding(t, s, user, "Hello")

	between.cut()
	close(goOn)
	harness.Eventually(t, soon, "the server tries to save again", func() bool {
		return strings.Contains(s.Log(), "saving a run failed")
	})
	checkUnavailable(t, s, user, other)
	between.mend(t)
	told := run.until(t, endOfStream)
	if told.answer != "It begins and ends." || told.fault.Code != "" {
		t.Errorf("the stream ended with %v", told.types)
	}
	if row := s.ended(t, run.id(), soon); row.Status != "completed" {
		t.Errorf("the run is %s, code %q", row.Status, row.FailureCode)
	}
	checkHistory(t, user, session, line{"user", "Hello"}, line{"assistant", "It begins and ends."})
	checkHistory(t, user, other, line{"user", "Warm up"}, line{"assistant", "Hello from the model."})
	checkGoesOn(t, user, other)
}

// checkUnavailable checks the answers while the database is unreachable.
func checkUnavailable(t *testing.T, s *stand, user *harness.User, session uuid.UUID) {
	t.Helper()
	answer, err := user.API.CreateRunWithResponse(user.Context(), session, session, harness.MessageBody("Too bad"))
	if err != nil {
		t.Fatal(err)
	}
	if answer.JSON503 == nil || answer.JSON503.Error.Code != client.ErrorCodeServiceUnavailable {
		t.Errorf("a run without a database was answered %s: %s", answer.Status(), answer.Body)
	}
	if ready := s.Do(t, harness.Request{Method: http.MethodGet, Path: "/readyz"}); ready.Status != http.StatusServiceUnavailable {
		t.Errorf("without a database /readyz says %d: %s", ready.Status, ready.Body)
	}
	if health := s.Do(t, harness.Request{Method: http.MethodGet, Path: "/health"}); health.Status != http.StatusOK {
		t.Errorf("without a database /health says %d: %s", health.Status, health.Body)
	}
}

// An answer that cannot be stored for long is not sent as complete, and it is not
// lost: it is stored when the database is back, before its thread takes another
// message.
func TestDatabaseAwayForLong(t *testing.T) {
	t.Parallel()
	s, between := newDatabaseRelay(t)
	user := s.User(t)
	session, run, goOn := holding(t, s, user, "Hello")
	_, beside, besideGoesOn := holding(t, s, user, "Beside it")

	between.cut()
	close(goOn)
	begin := time.Now()
	told := run.until(t, endOfStream)
	t.Logf("the server gave up saving after %s", time.Since(begin).Round(time.Millisecond))
	if took := time.Since(begin); took < savePatience/2 {
		t.Errorf("the server gave up saving after %s", took)
	}
	if told.answer != "" || told.fault.Code != "stream.error" || told.fault.AllowRetry {
		t.Errorf("the stream ended with %v, answer %q, %+v", told.types, told.answer, told.fault)
	}
	// The outage outlasts the run's lease.
	harness.Eventually(t, leasePatience, "the run's lease is over", func() bool {
		row, _ := s.run(t, run.id())
		return row.LeaseUntil < time.Now().UnixMicro()
	})
	between.mend(t)
	harness.Eventually(t, leasePatience, "the thread takes a message", func() bool {
		answer, err := user.API.CreateRunWithResponse(t.Context(), session, session, harness.MessageBody("Go on"))
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode() == http.StatusOK
	})
	checkHistory(t, user, session,
		line{"user", "Hello"}, line{"assistant", "It begins and ends."},
		line{"user", "Go on"}, line{"assistant", "Hello from the model."})
	if row := s.ended(t, run.id(), soon); row.Status != "completed" {
		t.Errorf("the run whose end was saved late is %s, code %q", row.Status, row.FailureCode)
	}
	close(besideGoesOn)
	if told := beside.until(t, endOfStream); told.answer != "It begins and ends." {
		t.Errorf("the stream beside it ended with %v", told.types)
	}
}

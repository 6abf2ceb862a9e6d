package streams_test

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// shutdownGrace is how much longer than SHUTDOWN_TIMEOUT a shutdown may take on a
// busy machine.
const shutdownGrace = 10 * time.Second

// A shutdown waits for the live runs and accepts no new ones.
func TestShutdownWaitsForLiveRuns(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		s := newStand(t, harness.Options{Database: database, Env: map[string]string{"SHUTDOWN_TIMEOUT": "30s"}})
		user := s.User(t)
		session, other := user.CreateSession(), user.CreateSession()
		goOn := make(chan struct{})
		s.Upstream.Answer("Hello", harness.Script{
			harness.Text("It begins "), harness.Wait(goOn), harness.Text("and ends."), harness.Finish("stop"), harness.Done(),
		})
		run := user.StartRun(session, "Hello")
		events := run.Until("thread.item.updated")

		// One request is being sent when the shutdown begins.
		late := dialRun(t, s, user, other, "Too late", nil)
		sendBody := late.sendHead(t)
		s.Terminate()
		harness.Eventually(t, soon, "the server takes no connections", func() bool { return !isListening(t, s) })
		sendBody()
		if answer := late.answer(); answer.Status != http.StatusServiceUnavailable || answer.Code() != "SERVICE_UNAVAILABLE" {
			t.Errorf("a run that was asked for during the stop was answered %d %s", answer.Status, answer.Body)
		}
		select {
		case <-s.Exited():
			t.Fatal("the server did not wait for its run")
		default:
		}

		close(goOn)
		readTranscript(t, append(events, run.All()...)).check(t, "Hello", "It begins and ends.", true, false)
		within(t, shutdownGrace, "the server has stopped", s.Exited())
		checkExit(t, s)
		if row := s.ended(t, run.ID, soon); row.Status != "completed" {
			t.Errorf("the run is %s", row.Status)
		}
		s.Restart()
		checkHistory(t, user, session, line{"user", "Hello"}, line{"assistant", "It begins and ends."})
		if count := len(s.runsOf(t, other)); count != 0 {
			t.Errorf("the stopping server began %d runs", count)
		}
	})
}

// isListening reports whether the server accepts connections, as a load balancer's
// probe of /readyz sees it.
func isListening(t *testing.T, s *stand) bool {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		// One that comes while the listener is closed is reset.
		if !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("connect to the stopping server: %v, want a refused connection", err)
		}
		return false
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	return true
}

// checkExit checks that the server exited normally.
func checkExit(t *testing.T, s *stand) {
	t.Helper()
	if code := s.Stop(); code != 0 { // It has ended; this tells how.
		t.Errorf("the server ended with exit code %d", code)
	}
}

// A run that does not end in time is stored with its text so far, and its client
// gets an error event.
func TestShutdownCutsLongRuns(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		s := newStand(t, harness.Options{Database: database, Env: map[string]string{"SHUTDOWN_TIMEOUT": "500ms"}})
		user := s.User(t)
		live, early := user.CreateSession(), user.CreateSession()
		s.Upstream.Answer("Go on for ever", harness.Script{harness.Text("It begins"), harness.Hang()})
		s.Upstream.Answer("Never begin", harness.Script{harness.Hang()})
		run := user.StartRun(live, "Go on for ever")
		events := run.Until("thread.item.updated")
		refusal := make(chan harness.Answer, 1)
		waiting := sendRun(t, s, user, early, "Never begin")
		go func() { refusal <- waiting.answer() }()
		s.Upstream.Await(t, "Never begin")

		begin := time.Now()
		s.Terminate()
		told := readTranscript(t, append(events, run.All()...))
		told.check(t, "Go on for ever", "It begins", true, true)
		if !told.fault.AllowRetry {
			t.Error("the error event does not allow to try again")
		}
		if answer := <-refusal; answer.Status != http.StatusServiceUnavailable || answer.Code() != "SERVICE_UNAVAILABLE" {
			t.Errorf("the run without a first byte was answered %d %s", answer.Status, answer.Body)
		}
		within(t, shutdownGrace, "the server has stopped", s.Exited())
		t.Logf("the server ended %s after SIGTERM with SHUTDOWN_TIMEOUT=500ms", time.Since(begin).Round(time.Millisecond))
		checkExit(t, s)
		checkFailedRow(t, s.ended(t, run.ID, soon), "server_stopped")
		checkFailedRow(t, s.onlyRun(t, early), "server_stopped")

		s.Restart()
		checkHistory(t, user, live, line{"user", "Go on for ever"}, line{"assistant", "It begins"})
		checkHistory(t, user, early, line{"user", "Never begin"})
		checkGoesOn(t, user, live)
		checkGoesOn(t, user, early)
	})
}

// A client that does not read its answer delays a shutdown only by the time that
// saving and sending take.
func TestShutdownDoesNotWaitForSlowReaders(t *testing.T) {
	t.Parallel()
	const bound = 15 * time.Second // beyond SHUTDOWN_TIMEOUT
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		s := newStand(t, harness.Options{Database: database, Env: map[string]string{"SHUTDOWN_TIMEOUT": "500ms"}})
		user := s.User(t)
		session := user.CreateSession()
		text := bulk(1 << 20)
		s.Upstream.Answer("Tell me much", bulkScript(text))
		run := sendSlowRun(t, s, user, session, "Tell me much")
		if row := s.ended(t, run.id(), soon); row.Status != "completed" {
			t.Errorf("the run is %s, code %q", row.Status, row.FailureCode)
		}

		s.Terminate()
		took := within(t, bound+shutdownGrace, "the server has stopped", s.Exited())
		t.Logf("the server ended %s after SIGTERM", took.Round(time.Millisecond))
		checkExit(t, s)
		s.Restart()
		checkHistory(t, user, session, line{"user", "Tell me much"}, line{"assistant", text})
	})
}

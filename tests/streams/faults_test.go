package streams_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/client"
	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// Words that are in every question and in every answer of these tests, so
// that a log or an answer that repeats them is noticed.
const (
	askWord  = "question-word-5b1c"
	sayWord  = "answer-word-e07a"
	fromUp   = harness.UpstreamSecret
	errorObj = `{"error":{"code":503,"message":"` + fromUp + `","metadata":{"raw":"` + fromUp + `"}}}`
)

// The time-outs of the servers whose upstream is silent.
const (
	firstByteTimeout = 8 * time.Second
	idleTimeout      = 3 * time.Second
)

// fault is something that upstream does wrong.
type fault struct {
	name   string
	script harness.Script
	// code is the run's failure code.
	code string
	// requests is how many upstream sees.
	requests int
	// retryAfter is what the caller is told; "" for no header.
	retryAfter string
	// usage says that upstream told what the answer used.
	usage bool
}

func refuses(status, retryAfter int) harness.Script {
	return harness.Script{harness.Refuse(status, retryAfter, errorObj)}
}

// refusals are before the first byte of an answer.
func refusals() []fault {
	first := func(data string) harness.Script { return harness.Script{harness.Raw(data)} }
	return []fault{
		{name: "400", script: refuses(400, -1), code: "upstream_bad_request", requests: 1},
		{name: "401", script: refuses(401, -1), code: "upstream_credentials", requests: 1},
		{name: "402", script: refuses(402, -1), code: "upstream_payment", requests: 1},
		{name: "402, come back soon", script: refuses(402, 1), code: "upstream_payment", requests: 3, retryAfter: "1"},
		{name: "402, come back late", script: refuses(402, 30), code: "upstream_payment", requests: 1, retryAfter: "30"},
		{name: "403", script: refuses(403, -1), code: "upstream_refused", requests: 1},
		{name: "404", script: refuses(404, -1), code: "upstream_bad_request", requests: 1},
		{name: "408", script: refuses(408, -1), code: "upstream_busy", requests: 1},
		{name: "413", script: refuses(413, -1), code: "upstream_bad_request", requests: 1},
		{name: "429", script: refuses(429, -1), code: "upstream_busy", requests: 3},
		{name: "429, come back soon", script: refuses(429, 1), code: "upstream_busy", requests: 3, retryAfter: "1"},
		{name: "429, come back late", script: refuses(429, 60), code: "upstream_busy", requests: 1, retryAfter: "60"},
		{name: "500", script: refuses(500, -1), code: "upstream_busy", requests: 1},
		{name: "502", script: refuses(502, -1), code: "upstream_busy", requests: 1},
		{name: "502, come back late", script: refuses(502, 7), code: "upstream_busy", requests: 1, retryAfter: "7"},
		{name: "503", script: refuses(503, -1), code: "upstream_busy", requests: 3},
		{name: "503, come back late", script: refuses(503, 120), code: "upstream_busy", requests: 1, retryAfter: "120"},
		{name: "504", script: refuses(504, -1), code: "upstream_timeout", requests: 1},
		{name: "an error of JSON in a 200", script: refuses(200, -1), code: "upstream_busy", requests: 1},
		{
			name: "other JSON in a 200", script: harness.Script{harness.Refuse(200, -1, `{"detail":"`+fromUp+`"}`)},
			code: "upstream_broken", requests: 1,
		},
		{
			name: "a web page in a 200", script: harness.Script{harness.Refuse(200, -1, "<!doctype html><p>"+fromUp)},
			code: "upstream_broken", requests: 1,
		},
		{name: "a 200 without a body", script: harness.Script{harness.Headers()}, code: "upstream_broken", requests: 1},
		{
			name: "an error event with a number", script: first("data: " + errorObj + "\n\n"),
			code: "upstream_busy", requests: 1,
		},
		{
			name: "an error event with a number in a string", requests: 1, code: "upstream_credentials",
			script: first(`data: {"error":{"code":"401","message":"` + fromUp + `"}}` + "\n\n"),
		},
		{
			name: "an error event with a word", requests: 1, code: "upstream_busy",
			script: first(`data: {"error":{"code":"rate_limit_exceeded","message":"` + fromUp + `"}}` + "\n\n"),
		},
		{
			name: "finish_reason error at once", script: harness.Script{harness.Finish("error")},
			code: "upstream_broken", requests: 1,
		},
		{name: "an event that is no JSON", script: first("data: {" + fromUp + "\n\n"), code: "upstream_broken", requests: 1},
		{name: "a cut before the answer", script: harness.Script{harness.CloseConnection()}, code: "upstream_unreachable", requests: 1},
		{name: "a reset before the answer", script: harness.Script{harness.ResetConnection()}, code: "upstream_unreachable", requests: 1},
		{
			name: "a cut after the status", script: harness.Script{harness.Headers(), harness.CloseConnection()},
			code: "upstream_unreachable", requests: 1,
		},
		{name: "no status", script: harness.Script{harness.Hang()}, code: "upstream_timeout", requests: 1},
		{
			name: "a status and no byte", script: harness.Script{harness.Headers(), harness.Hang()},
			code: "upstream_timeout", requests: 1,
		},
	}
}

// neverHelps are the failures that sending the message again does not mend.
func neverHelps() []string {
	return []string{"upstream_credentials", "upstream_payment", "upstream_refused", "upstream_bad_request"}
}

func TestFaultBeforeTheFirstByte(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		s := newFaultStand(t, database)
		for _, f := range refusals() {
			t.Run(f.name, func(t *testing.T) {
				t.Parallel()
				testRefusal(t, s, f)
			})
		}
	})
}

// newFaultStand is a server whose log is looked at when it has ended.
func newFaultStand(t *testing.T, database harness.Database) *stand {
	t.Helper()
	s := newStand(t, harness.Options{Database: database, Env: map[string]string{
		"UPSTREAM_FIRST_BYTE_TIMEOUT": firstByteTimeout.String(),
		"UPSTREAM_IDLE_TIMEOUT":       idleTimeout.String(),
	}})
	t.Cleanup(func() {
		if code := s.Stop(); code != 0 {
			t.Errorf("the server ended with exit code %d", code)
		}
		checkSilence(t, s)
	})
	return s
}

// checkSilence sees that the log has nothing of what was said, and no secret.
func checkSilence(t *testing.T, s *stand) {
	t.Helper()
	log := s.Log()
	if !strings.Contains(log, `"run started"`) || !strings.Contains(log, `"run failed"`) {
		t.Error("the log does not tell of the runs")
	}
	const tokenHead = "eyJ" // of every JWT
	for _, secret := range []string{askWord, sayWord, fromUp, s.Upstream.Key, s.Secret, s.DatabaseURL, tokenHead} {
		if at := strings.Index(log, secret); at >= 0 {
			t.Errorf("the log tells %q: %s", secret, log[max(at-300, 0):min(at+300, len(log))])
		}
	}
}

func testRefusal(t *testing.T, s *stand, f fault) {
	t.Helper()
	user := s.User(t)
	session := user.CreateSession()
	question := askWord + " " + t.Name()
	s.Upstream.Answer(question, f.script)

	answer, err := user.API.CreateRunWithResponse(user.Context(), session, session, harness.MessageBody(question))
	if err != nil {
		t.Fatal(err)
	}
	if answer.JSON502 == nil || answer.JSON502.Error.Code != client.ErrorCodeUpstreamError {
		t.Fatalf("the answer is %s: %s", answer.Status(), answer.Body)
	}
	if got := answer.HTTPResponse.Header.Get("Retry-After"); got != f.retryAfter {
		t.Errorf("Retry-After is %q, want %q", got, f.retryAfter)
	}
	if got := len(s.Upstream.Requests(question)); got != f.requests {
		t.Errorf("upstream saw %d requests, want %d", got, f.requests)
	}
	row := s.ended(t, answer.HTTPResponse.Header.Get("X-Run-Id"), soon)
	checkFailedRow(t, row, f.code)
	if row.FirstTokenAt.Valid {
		t.Error("the run has a time of its first token")
	}
	checkHistory(t, user, session, line{"user", question})
	checkGoesOn(t, user, session)
}

func checkFailedRow(t *testing.T, row runRow, code string) {
	t.Helper()
	if row.Status != "failed" || row.FailureCode != code || row.FailureReason == "" {
		t.Errorf("the run is %s, code %q, reason %q; want failed, code %q and a reason",
			row.Status, row.FailureCode, row.FailureReason, code)
	}
	if strings.Contains(row.FailureReason, fromUp) || strings.Contains(row.FailureReason, askWord) {
		t.Errorf("the reason tells what was said: %q", row.FailureReason)
	}
}

// checkGoesOn sees that the thread takes the next message.
func checkGoesOn(t *testing.T, user *harness.User, session uuid.UUID) {
	t.Helper()
	question := askWord + " and then, " + t.Name()
	events := user.Say(session, question)
	readTranscript(t, events).check(t, question, "Hello from the model.", false, false)
}

func TestRefusedConnectionIsTriedAgain(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		upstream := harness.NewUpstream(t)
		between := newRelay(t, upstream.URL)
		between.cut()
		s := newStand(t, harness.Options{
			Database: database, Upstream: upstream, Env: map[string]string{"OPENROUTER_BASE_URL": between.URL},
		})
		user := s.User(t)
		session := user.CreateSession()
		begin := time.Now()
		answer, err := user.API.CreateRunWithResponse(user.Context(), session, session, harness.MessageBody(askWord))
		if err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode() != http.StatusBadGateway {
			t.Fatalf("the answer is %s: %s", answer.Status(), answer.Body)
		}
		// Two more tries come 200 ms and 400 ms after the one before, at least.
		if took := time.Since(begin); took < 600*time.Millisecond {
			t.Errorf("the run was given up after %s, too soon for two more tries", took)
		}
		checkFailedRow(t, s.ended(t, answer.HTTPResponse.Header.Get("X-Run-Id"), soon), "upstream_unreachable")
		checkHistory(t, user, session, line{"user", askWord})

		// Once a server listens there, the thread takes the next message.
		between.mend(t)
		checkGoesOn(t, user, session)
		if between.opened() != 1 {
			t.Errorf("upstream saw %d connections, want 1", between.opened())
		}
	})
}

func TestBusyThenWell(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		s := newStand(t, harness.Options{Database: database})
		for _, status := range []int{429, 503} {
			user := s.User(t)
			session := user.CreateSession()
			question := askWord + " " + http.StatusText(status)
			s.Upstream.Answer(question, refuses(status, -1), refuses(status, 1), harness.TextAnswer(sayWord))
			run := user.StartRun(session, question)
			readTranscript(t, run.All()).check(t, question, sayWord, true, false)
			if got := len(s.Upstream.Requests(question)); got != 3 {
				t.Errorf("%d: upstream saw %d requests, want 3", status, got)
			}
			if row := s.ended(t, run.ID, soon); row.Status != "completed" || row.FailureCode != "" {
				t.Errorf("%d: the run is %s, code %q", status, row.Status, row.FailureCode)
			}
			checkHistory(t, user, session, line{"user", question}, line{"assistant", sayWord})
		}
	})
}

// mayHelp says whether a client is told to try again.
func (f fault) mayHelp() bool { return !slices.Contains(neverHelps(), f.code) }

package runs_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/client"
	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

func jsonBody(t *testing.T, value any) io.Reader {
	t.Helper()
	body, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(body)
}

// runIDOf returns the run that a failure names.
func runIDOf(t *testing.T, answer harness.Answer) string {
	t.Helper()
	var body client.ErrorResponse
	if err := json.Unmarshal(answer.Body, &body); err != nil || body.Error.RunID == nil {
		t.Fatalf("no run in %s", answer.Body)
	}
	return body.Error.RunID.String()
}

// operations are the requests on a run, by their operationId.
func operations(session, thread uuid.UUID, run string) map[string]harness.Request {
	path := harness.RunsPath(session, thread)
	return map[string]harness.Request{
		"listRuns":  {Method: http.MethodGet, Path: path + "?after=" + run},
		"getRun":    {Method: http.MethodGet, Path: path + "/" + run},
		"followRun": {Method: http.MethodGet, Path: path + "/" + run + "/events"},
		"cancelRun": {Method: http.MethodPost, Path: path + "/" + run + "/cancel"},
	}
}

// TestRunsOfOthers checks that no operation reads or cancels a run that is not of
// the caller's session.
func TestRunsOfOthers(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		server := harness.Start(t, harness.Options{Database: database})
		alice, bob := server.User(t), server.User(t)
		session, other, bobs := alice.CreateSession(), alice.CreateSession(), bob.CreateSession()
		run, begun, goOn := startPaused(t, server, alice, session)

		for name, c := range map[string]struct {
			user            *harness.User
			session, thread uuid.UUID
			run             string
			status          int
			code            string
		}{
			"another user":           {bob, session, session, run.ID, 403, "FORBIDDEN"},
			"a session of one's own": {bob, bobs, bobs, run.ID, 404, "RUN_NOT_FOUND"},
			"another session":        {alice, other, other, run.ID, 404, "RUN_NOT_FOUND"},
			"no such run":            {alice, session, session, uuid.NewString(), 404, "RUN_NOT_FOUND"},
			"no such session":        {alice, uuid.New(), uuid.Nil, run.ID, 404, "SESSION_NOT_FOUND"},
			"no such thread":         {alice, session, other, run.ID, 404, "THREAD_NOT_FOUND"},
			"no run id":              {alice, session, session, "42", 400, "INVALID_REQUEST"},
		} {
			for operation, request := range operations(c.session, c.thread, c.run) {
				if answer := c.user.Do(request); answer.Status != c.status || answer.Code() != c.code {
					t.Errorf("%s, %s: %d %s, want %d %s", name, operation, answer.Status, answer.Body, c.status, c.code)
				}
			}
		}
		for operation, request := range operations(session, session, run.ID) {
			if answer := server.Do(t, request); answer.Code() != "UNAUTHORIZED" {
				t.Errorf("without a token, %s: %d %s", operation, answer.Status, answer.Body)
			}
		}
		close(goOn)
		if all := slices.Concat(begun, run.All()); harness.DeltaText(all) != "One two three four." {
			t.Errorf("the run answered %q", harness.DeltaText(all))
		}
	})
}

// TestBadPlaces checks that followRun refuses what is no number of an event.
func TestBadPlaces(t *testing.T) {
	t.Parallel()
	server := harness.Start(t, harness.Options{Database: harness.SQLite})
	user := server.User(t)
	session := user.CreateSession()
	run := user.StartRun(session, "Hello")
	run.All()
	for _, place := range []string{"-1", "x", "1.5", "99999999999999999999", "2147483648", ""} {
		if answer := user.Do(harness.Request{
			Method: http.MethodGet, Path: harness.RunPath(session, run.ID) + "/events?after=" + place,
		}); answer.Code() != "INVALID_REQUEST" {
			t.Errorf("after %q: %d %s", place, answer.Status, answer.Body)
		}
		if place == "" {
			continue
		}
		if answer := user.Do(harness.Request{
			Method: http.MethodGet, Path: harness.RunPath(session, run.ID) + "/events", Header: http.Header{"Last-Event-Id": {place}},
		}); answer.Code() != "INVALID_REQUEST" {
			t.Errorf("Last-Event-ID %q: %d %s", place, answer.Status, answer.Body)
		}
	}
}

// TestExpiredLog checks that a run whose log is gone answers 410, and that the
// run and its messages are kept.
func TestExpiredLog(t *testing.T) {
	t.Parallel()
	server := harness.Start(t, harness.Options{Database: harness.SQLite, Env: map[string]string{"RUN_LOG_TTL": "10ms"}})
	user := server.User(t)
	session := user.CreateSession()
	run := user.StartRun(session, "Hello")
	run.All()
	request := operations(session, session, run.ID)["followRun"]
	harness.Eventually(t, soon, "the log is gone", func() bool {
		answer := user.Do(request)
		return answer.Status == http.StatusGone && answer.Code() == "RUN_LOG_EXPIRED"
	})
	if ended := user.GetRun(session, run.ID); ended.Status != client.RunStatusCompleted {
		t.Errorf("the run is %s", ended.Status)
	}
}

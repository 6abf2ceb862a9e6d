// Package contract_test tests the running server against its contract over HTTP,
// on both databases.
package contract_test

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// Most tests wait for the server, so more of them run at once than there are
// processors.
const parallel = 8

func TestMain(m *testing.M) { os.Exit(harness.MainParallel(m, parallel)) }

// onEach starts a server on each database and runs the test against it.
func onEach(t *testing.T, env map[string]string, test func(t *testing.T, server *harness.Server)) {
	t.Helper()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		test(t, harness.Start(t, harness.Options{Database: database, Env: env}))
	})
}

// check is a test against a server that other tests use too.
type check func(t *testing.T, server *harness.Server)

// suite runs checks against one server on each database.
func suite(t *testing.T, env map[string]string, checks map[string]check) {
	t.Helper()
	onEach(t, env, func(t *testing.T, server *harness.Server) {
		for name, run := range checks {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				run(t, server)
			})
		}
	})
}

// want fails the test unless the answer is a failure of this status and code.
func want(t *testing.T, answer harness.Answer, status int, code string) {
	t.Helper()
	if answer.Status != status || answer.Code() != code {
		t.Errorf("got %d %s, want %d %s: %s", answer.Status, answer.Code(), status, code, answer.Body)
	}
}

// wantOK fails the test unless the answer is a success.
func wantOK(t *testing.T, answer harness.Answer) {
	t.Helper()
	if answer.Status != http.StatusOK {
		t.Errorf("got %d, want 200: %s", answer.Status, answer.Body)
	}
}

// wantNamed fails the test unless a failure's message names the field.
func wantNamed(t *testing.T, answer harness.Answer, field string) {
	t.Helper()
	if !strings.Contains(answer.Message(), field) {
		t.Errorf("the message does not name %s: %q", field, answer.Message())
	}
}

// operation is one of the six operations of the REST API.
type operation struct {
	id     string
	method string
	path   string
	body   string
}

func (o operation) request() harness.Request { return o.requestAt(o.path) }

// requestAt sends the operation's method and body to another path.
func (o operation) requestAt(path string) harness.Request {
	request := harness.Request{Method: o.method, Path: path}
	if o.body != "" {
		request.Body = strings.NewReader(o.body)
	}
	return request
}

const helloBody = `{"message":{"role":"user","content":[{"type":"input_text","text":"Hello"}]}}`

// operations returns the six operations on a session. Deleting comes last.
func operations(session uuid.UUID) []operation {
	return append([]operation{
		{"createSession", http.MethodPost, harness.SessionsPath, "{}"},
		{"listSessions", http.MethodGet, harness.SessionsPath, ""},
	}, onSession(session)...)
}

// onSession returns the operations that name a session. Deleting comes last.
func onSession(session uuid.UUID) []operation {
	return []operation{
		{"getSession", http.MethodGet, harness.SessionPath(session), ""},
		{"createThread", http.MethodPost, harness.ThreadsPath(session), "{}"},
		{"createRun", http.MethodPost, harness.RunsPath(session, session), helloBody},
		{"deleteSession", http.MethodDelete, harness.SessionPath(session), ""},
	}
}

// header returns a header of name and value pairs.
func header(pairs ...string) http.Header {
	h := http.Header{}
	for n := 0; n+1 < len(pairs); n += 2 {
		h.Add(pairs[n], pairs[n+1])
	}
	return h
}

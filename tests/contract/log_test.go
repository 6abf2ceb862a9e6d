package contract_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// TestLog checks that the log names the user, the session, the run and the
// route, and has no token, no secret and no text of a message.
func TestLog(t *testing.T) {
	t.Parallel()
	onEach(t, nil, func(t *testing.T, server *harness.Server) {
		alice := server.User(t)
		session := alice.CreateSession()
		server.Upstream.Answer("My question is private.", harness.TextAnswer("So is the answer."))
		run := alice.StartRun(session, "My question is private.")
		run.All()
		request := runRequest(session, strings.Replace(helloBody, "user", "My role is private.", 1))
		request.Path += "?token=" + alice.Token
		want(t, alice.Do(request), 400, "INVALID_REQUEST")
		want(t, server.Do(t, harness.Request{
			Method: http.MethodGet, Path: harness.SessionsPath, Header: header("Authorization", "Bearer my.private.token"),
		}), 401, "UNAUTHORIZED")
		server.Stop()
		log := server.Log()
		for what, secret := range map[string]string{
			"the token": alice.Token, "a refused token": "my.private.token", "the JWT secret": server.Secret,
			"the API key": server.Upstream.Key, "the database's URL": server.DatabaseURL,
			"a question": "My question is private.", "an answer": "So is the answer", "a bad value": "My role is private.",
		} {
			if strings.Contains(log, secret) {
				t.Errorf("the log holds %s", what)
			}
		}
		for what, word := range map[string]string{
			"the session's id": session.String(), "the run's id": run.ID, "the user": alice.Sub, "the duration": `"duration`,
			"the request's id": `"request":"`, "the route": "/threads/:thread_id/runs", "the client": `"client":"127.0.0.1"`,
		} {
			if !strings.Contains(log, word) {
				t.Errorf("the log lacks %s", what)
			}
		}
		checkRequestLine(t, log, run.ID, session.String(), alice.Sub)
	})
}

// checkRequestLine fails the test unless the log line of the run's request has all
// the words.
func checkRequestLine(t *testing.T, log string, words ...string) {
	t.Helper()
	for line := range strings.SplitSeq(log, "\n") {
		if !strings.Contains(line, `"msg":"request"`) || !strings.Contains(line, words[0]) {
			continue
		}
		for _, word := range words {
			if !strings.Contains(line, word) {
				t.Errorf("the line of the run's request lacks %s: %s", word, line)
			}
		}
		return
	}
	t.Error("the log has no line on the run's request")
}

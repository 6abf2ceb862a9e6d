package contract_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/client"
	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// TestSpecification has the thirty-one checks of the public specification.
func TestSpecification(t *testing.T) {
	t.Parallel()
	servers := map[harness.Database]*harness.Server{}
	for _, database := range []harness.Database{harness.SQLite, harness.Postgres} {
		servers[database] = harness.Start(t, harness.Options{Database: database})
	}
	groups := []struct {
		name   string
		checks []check
	}{
		{"create", []check{createAnswers, createWithoutToken, createWithBadToken, createOverLimit, createWithBadBody}},
		{"thread", []check{threadAnswers, threadAgain, threadWithoutToken, threadOfUnknownSession, threadOfAnotherUser}},
		{"run", []check{runAnswers, runWithoutToken, runEmpty, runTooLong, runOfUnknownSession}},
		{"list", []check{listAnswers, listWithoutToken, listOwnOnly, listEmpty}},
		{"get", []check{getAnswers, getWithoutToken, getUnknownSession, getOfAnotherUser, getBadID}},
		{"delete", []check{deleteAnswers, deleteWithoutToken, deleteUnknownSession, deleteOfAnotherUser, deleteAgain}},
		{"limit", []check{limitRefuses, limitHeaders}},
	}
	for _, group := range groups {
		t.Run(group.name, func(t *testing.T) {
			t.Parallel()
			for n, run := range group.checks {
				t.Run(strconv.Itoa(n+1), func(t *testing.T) {
					for database, server := range servers {
						t.Run(string(database), func(t *testing.T) { run(t, server) })
					}
				})
			}
		})
	}
}

func createAnswers(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	answer, err := alice.API.CreateSessionWithResponse(alice.Context(), client.CreateSessionRequest{})
	if err != nil || answer.JSON200 == nil {
		t.Fatalf("create: %v, %s", err, answer.Body)
	}
	data := answer.JSON200.Data
	if !answer.JSON200.Success || data.UserID != alice.Sub || data.ID == uuid.Nil || data.CreatedAt.IsZero() {
		t.Errorf("the answer is %s", answer.Body)
	}
}

func createWithoutToken(t *testing.T, server *harness.Server) {
	want(t, server.Do(t, harness.Request{Method: http.MethodPost, Path: harness.SessionsPath}), 401, "UNAUTHORIZED")
}

func createWithBadToken(t *testing.T, server *harness.Server) {
	request := harness.Request{
		Method: http.MethodPost, Path: harness.SessionsPath, Header: header("Authorization", "Bearer not.a.token"),
	}
	want(t, server.Do(t, request), 401, "UNAUTHORIZED")
}

func createOverLimit(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	for range 10 {
		alice.CreateSession()
	}
	answer := alice.Do(harness.Request{Method: http.MethodPost, Path: harness.SessionsPath})
	want(t, answer, 429, "SESSION_LIMIT")
	wantNamed(t, answer, "10")
}

func createWithBadBody(t *testing.T, server *harness.Server) {
	request := harness.Request{Method: http.MethodPost, Path: harness.SessionsPath, Body: strings.NewReader(`{"title":`)}
	want(t, server.User(t).Do(request), 400, "INVALID_REQUEST")
}

func threadAnswers(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	session := alice.CreateSession()
	answer, err := alice.API.CreateThreadWithResponse(alice.Context(), session, client.CreateThreadRequest{})
	if err != nil || answer.JSON200 == nil {
		t.Fatalf("create thread: %v, %s", err, answer.Body)
	}
	data := answer.JSON200.Data
	if data.ID != session || data.SessionID != session || !data.CreatedAt.Equal(alice.Session(session).CreatedAt) {
		t.Errorf("the thread of session %s is %s", session, answer.Body)
	}
}

func threadAgain(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	request := harness.Request{Method: http.MethodPost, Path: harness.ThreadsPath(alice.CreateSession())}
	first, second := alice.Do(request), alice.Do(request)
	wantOK(t, first)
	if string(first.Body) != string(second.Body) {
		t.Errorf("first %s, then %s", first.Body, second.Body)
	}
	if total := alice.Sessions().Meta.Total; total != 1 {
		t.Errorf("%d sessions after opening a thread twice", total)
	}
}

func threadWithoutToken(t *testing.T, server *harness.Server) {
	path := harness.ThreadsPath(server.User(t).CreateSession())
	want(t, server.Do(t, harness.Request{Method: http.MethodPost, Path: path}), 401, "UNAUTHORIZED")
}

func threadOfUnknownSession(t *testing.T, server *harness.Server) {
	request := harness.Request{Method: http.MethodPost, Path: harness.ThreadsPath(uuid.New())}
	want(t, server.User(t).Do(request), 404, "SESSION_NOT_FOUND")
}

func threadOfAnotherUser(t *testing.T, server *harness.Server) {
	request := harness.Request{Method: http.MethodPost, Path: harness.ThreadsPath(server.User(t).CreateSession())}
	want(t, server.User(t).Do(request), 403, "FORBIDDEN")
}

func runAnswers(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	events := alice.Say(alice.CreateSession(), "Hello")
	if got := harness.DeltaText(events); got != "Hello from the model." {
		t.Errorf("the answer is %q", got)
	}
	if last := events[len(events)-1]; last.Type != "[DONE]" {
		t.Errorf("the stream ends with %s", last.Raw)
	}
}

func runWithoutToken(t *testing.T, server *harness.Server) {
	session := server.User(t).CreateSession()
	want(t, server.Do(t, runRequest(session, helloBody)), 401, "UNAUTHORIZED")
}

func runEmpty(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	want(t, alice.Do(runRequest(alice.CreateSession(), messageJSON(t, " \t\n "))), 400, "EMPTY_MESSAGE")
}

func runTooLong(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	answer := alice.Do(runRequest(alice.CreateSession(), messageJSON(t, strings.Repeat("a", 501))))
	want(t, answer, 400, "MESSAGE_TOO_LONG")
	wantNamed(t, answer, "500")
}

func runOfUnknownSession(t *testing.T, server *harness.Server) {
	want(t, server.User(t).Do(runRequest(uuid.New(), helloBody)), 404, "SESSION_NOT_FOUND")
}

func listAnswers(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	first, second := alice.CreateSession(), alice.CreateSession()
	alice.Say(first, "What is a UUID?")
	list := alice.Sessions()
	ids := []uuid.UUID{}
	for _, session := range list.Data {
		ids = append(ids, session.ID)
	}
	if !slices.Equal(ids, []uuid.UUID{first, second}) || list.Meta.Total != 2 || list.Meta.After != nil {
		t.Fatalf("the list is %+v", list)
	}
	newest := list.Data[0]
	if newest.UserID != alice.Sub || newest.Title == nil || *newest.Title != "What is a UUID?" || newest.MessageCount != 2 {
		t.Errorf("the first session is %+v", newest)
	}
	if list.Data[1].Title != nil || list.Data[1].MessageCount != 0 {
		t.Errorf("the unused session is %+v", list.Data[1])
	}
}

func listWithoutToken(t *testing.T, server *harness.Server) {
	want(t, server.Do(t, harness.Request{Method: http.MethodGet, Path: harness.SessionsPath}), 401, "UNAUTHORIZED")
}

func listOwnOnly(t *testing.T, server *harness.Server) {
	alice, bob := server.User(t), server.User(t)
	alice.CreateSession()
	own := bob.CreateSession()
	if list := bob.Sessions(); list.Meta.Total != 1 || len(list.Data) != 1 || list.Data[0].ID != own {
		t.Errorf("Bob's list is %+v", list)
	}
}

func listEmpty(t *testing.T, server *harness.Server) {
	answer := server.User(t).Do(harness.Request{Method: http.MethodGet, Path: harness.SessionsPath})
	if got := strings.TrimSpace(string(answer.Body)); got != `{"success":true,"data":[],"meta":{"total":0}}` {
		t.Errorf("an empty list is %s", got)
	}
}

func getAnswers(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	id := alice.CreateSession()
	alice.Say(id, "Hello")
	session := alice.Session(id)
	if session.ID != id || session.UserID != alice.Sub || session.Title == nil || len(session.Messages) != 2 {
		t.Fatalf("the session is %+v", session)
	}
	if session.Messages[0].Role != client.MessageRoleUser || session.Messages[1].Role != client.MessageRoleAssistant {
		t.Errorf("the messages are %+v", session.Messages)
	}
}

func getWithoutToken(t *testing.T, server *harness.Server) {
	path := harness.SessionPath(server.User(t).CreateSession())
	want(t, server.Do(t, harness.Request{Method: http.MethodGet, Path: path}), 401, "UNAUTHORIZED")
}

func getUnknownSession(t *testing.T, server *harness.Server) {
	request := harness.Request{Method: http.MethodGet, Path: harness.SessionPath(uuid.New())}
	want(t, server.User(t).Do(request), 404, "SESSION_NOT_FOUND")
}

func getOfAnotherUser(t *testing.T, server *harness.Server) {
	request := harness.Request{Method: http.MethodGet, Path: harness.SessionPath(server.User(t).CreateSession())}
	want(t, server.User(t).Do(request), 403, "FORBIDDEN")
}

func getBadID(t *testing.T, server *harness.Server) {
	answer := server.User(t).Do(harness.Request{Method: http.MethodGet, Path: harness.SessionsPath + "/42"})
	want(t, answer, 400, "INVALID_REQUEST")
	wantNamed(t, answer, "session_id")
}

func deleteAnswers(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	session := alice.CreateSession()
	alice.Say(session, "Hello")
	answer, err := alice.API.DeleteSessionWithResponse(alice.Context(), session)
	if err != nil || answer.JSON200 == nil {
		t.Fatalf("delete: %v, %s", err, answer.Body)
	}
	data := answer.JSON200.Data
	if data.ID != session || data.SessionID != session || !data.Deleted {
		t.Errorf("the answer is %s", answer.Body)
	}
	if total := alice.Sessions().Meta.Total; total != 0 {
		t.Errorf("%d sessions after the only one was deleted", total)
	}
}

func deleteWithoutToken(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	session := alice.CreateSession()
	want(t, server.Do(t, harness.Request{Method: http.MethodDelete, Path: harness.SessionPath(session)}), 401, "UNAUTHORIZED")
	alice.Session(session) // It is still there.
}

func deleteUnknownSession(t *testing.T, server *harness.Server) {
	request := harness.Request{Method: http.MethodDelete, Path: harness.SessionPath(uuid.New())}
	want(t, server.User(t).Do(request), 404, "SESSION_NOT_FOUND")
}

func deleteOfAnotherUser(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	session := alice.CreateSession()
	request := harness.Request{Method: http.MethodDelete, Path: harness.SessionPath(session)}
	want(t, server.User(t).Do(request), 403, "FORBIDDEN")
	alice.Session(session) // It is still there.
}

func deleteAgain(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	session := alice.CreateSession()
	alice.DeleteSession(session)
	request := harness.Request{Method: http.MethodDelete, Path: harness.SessionPath(session)}
	want(t, alice.Do(request), 404, "SESSION_NOT_FOUND")
}

// limitRefuses and limitHeaders start a server of their own, with a limit.
func limitRefuses(t *testing.T, other *harness.Server) {
	alice := limitedServer(t, other.Kind).User(t)
	request := harness.Request{Method: http.MethodGet, Path: harness.SessionsPath}
	for range 30 {
		wantOK(t, alice.Do(request))
	}
	want(t, alice.Do(request), 429, "RATE_LIMIT_EXCEEDED")
}

func limitHeaders(t *testing.T, other *harness.Server) {
	alice := limitedServer(t, other.Kind).User(t)
	request := harness.Request{Method: http.MethodGet, Path: harness.SessionsPath}
	for n := range 30 {
		answer := alice.Do(request)
		if got := answer.Header.Get("Ratelimit-Remaining"); got != strconv.Itoa(29-n) {
			t.Errorf("after %d requests %s remain", n+1, got)
		}
	}
	refused := alice.Do(request)
	seconds, err := strconv.Atoi(refused.Header.Get("Retry-After"))
	if err != nil || seconds < 1 || seconds > 60 {
		t.Errorf("Retry-After is %q", refused.Header.Get("Retry-After"))
	}
	if limit := refused.Header.Get("Ratelimit-Limit"); limit != "30" {
		t.Errorf("RateLimit-Limit is %q", limit)
	}
}

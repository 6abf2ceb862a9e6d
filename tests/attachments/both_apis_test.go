package attachments_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/client"
	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// sendREST sends a message with files through the REST API.
func sendREST(t *testing.T, user *harness.User, session uuid.UUID, text string, ids ...string) harness.Answer {
	t.Helper()
	message := map[string]any{
		"role": "user", "content": []any{map[string]any{"type": "input_text", "text": text}},
		"attachments": append([]string{}, ids...),
	}
	body, err := json.Marshal(map[string]any{"message": message})
	if err != nil {
		t.Fatal(err)
	}
	return user.Do(harness.Request{
		Method: http.MethodPost, Path: harness.RunsPath(session, session), Body: strings.NewReader(string(body)),
	})
}

// sendByREST creates a session and sends its first message.
func sendByREST(t *testing.T, user *harness.User, text string, ids ...string) (thread string, message item) {
	t.Helper()
	session := user.CreateSession()
	answer := sendREST(t, user, session, text, ids...)
	if answer.Status != http.StatusOK {
		t.Fatalf("create run: %d %s", answer.Status, answer.Body)
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(string(answer.Body), "id: 1\ndata: "), "\n")
	var saved event
	if err := json.Unmarshal([]byte(first), &saved); err != nil {
		t.Fatalf("%v: %s", err, first)
	}
	return session.String(), saved.Item
}

// restAttachments returns the attachments of a thread's first message in the REST
// API.
func restAttachments(t *testing.T, user *harness.User, thread string) []attachment {
	t.Helper()
	message := user.Session(uuid.MustParse(thread)).Messages[0]
	if message.Attachments == nil || message.Role != client.MessageRoleUser {
		t.Fatalf("the first message is %+v", message)
	}
	raw, err := json.Marshal(message.Attachments)
	if err != nil {
		t.Fatal(err)
	}
	var all []attachment
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// checkRESTMessages checks that the REST API refuses what the protocol refuses,
// and saves nothing of it.
func checkRESTMessages(t *testing.T, server *harness.Server) {
	alice, bob := server.User(t), server.User(t)
	session := alice.CreateSession()
	a := create(t, alice, "a.txt", "text/plain", 3)
	want(t, sendREST(t, alice, session, "Hello", a.ID), 409, "ATTACHMENT_CONFLICT")
	want(t, upload(t, server, a, []byte("one")), http.StatusNoContent, "")
	want(t, sendREST(t, alice, session, "Hello", uuid.NewString()), 404, "ATTACHMENT_NOT_FOUND")
	want(t, sendREST(t, bob, bob.CreateSession(), "Hello", a.ID), 403, "FORBIDDEN")
	want(t, sendREST(t, alice, session, "Hello", a.ID, a.ID), 400, "INVALID_REQUEST")
	want(t, sendREST(t, alice, session, "Hello", "no id"), 400, "INVALID_REQUEST")
	want(t, sendREST(t, alice, session, "Hello", tooManyIDs()...), 400, "INVALID_REQUEST")
	want(t, sendREST(t, alice, session, " "), 400, "EMPTY_MESSAGE")
	if got := len(alice.Session(session).Messages); got != 0 {
		t.Errorf("refused messages left %d in the history", got)
	}
	want(t, sendREST(t, alice, session, "", a.ID), http.StatusOK, "") // A file alone is a message.
	want(t, sendREST(t, alice, session, "Again", a.ID), 409, "ATTACHMENT_CONFLICT")
}

// tooManyIDs returns one id more than the limit of a message.
func tooManyIDs() []string {
	ids := make([]string, 21)
	for n := range ids {
		ids[n] = uuid.NewString()
	}
	return ids
}

package contract_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/client"
	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// TestIncompleteAnswers checks that an answer which ended at the model's token
// limit, by a content filter or for an unknown reason is followed by a notice
// in the streams of both APIs, and that the history has its finish reason.
func TestIncompleteAnswers(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		server := harness.Start(t, harness.Options{Database: database})
		user := server.User(t)
		for _, test := range []struct{ sent, stored, notice string }{
			{"length", "length", "limit of tokens"},
			{"content_filter", "content_filter", "content filter"},
			{"lost_interest", "unknown", "does not know"},
			{"stop", "", ""},
		} {
			question := "ends with " + test.sent
			server.Upstream.Answer(question, harness.Script{harness.Text("Half an answer"), harness.Finish(test.sent), harness.Done()})
			session := user.CreateSession()
			checkNotice(t, test.sent+" by REST", rawEvents(user.Say(session, question)), test.notice)
			checkFinishReason(t, user, session, test.stored)

			session = user.CreateSession()
			checkNotice(t, test.sent+" by ChatKit", sendByChatKit(t, user, session, question), test.notice)
			checkFinishReason(t, user, session, test.stored)
		}
	})
}

func rawEvents(events []harness.Event) string {
	var all strings.Builder
	for _, event := range events {
		all.WriteString(event.Raw + "\n")
	}
	return all.String()
}

func sendByChatKit(t *testing.T, user *harness.User, session uuid.UUID, text string) string {
	t.Helper()
	body := `{"type":"threads.add_user_message","params":{"thread_id":"` + session.String() + `","input":{"content":[{"type":"input_text","text":"` +
		text + `"}],"attachments":[],"inference_options":{}}}}`
	answer := user.Do(harness.Request{Method: http.MethodPost, Path: "/api/v1/chatkit", Body: strings.NewReader(body)})
	if answer.Status != http.StatusOK {
		t.Fatalf("the ChatKit API answered %d %s", answer.Status, answer.Body)
	}
	return string(answer.Body)
}

// checkNotice checks that one notice follows the answer, or none if notice is
// "".
func checkNotice(t *testing.T, what, events, notice string) {
	t.Helper()
	const sign = `"type":"notice","level":"warning","message":"`
	if notice == "" {
		if strings.Contains(events, `"type":"notice"`) {
			t.Errorf("%s: a complete answer has a notice: %s", what, events)
		}
		return
	}
	answer := strings.LastIndex(events, `"type":"assistant_message"`)
	at := strings.Index(events, sign)
	if strings.Count(events, sign) != 1 || at < answer || !strings.Contains(events[max(at, 0):], notice) {
		t.Errorf("%s: there is no one notice of %q after the answer: %s", what, notice, events)
	}
}

func checkFinishReason(t *testing.T, user *harness.User, session uuid.UUID, want string) {
	t.Helper()
	messages := user.Session(session).Messages
	got := client.MessageFinishReason("")
	if last := messages[len(messages)-1]; last.FinishReason != nil {
		got = *last.FinishReason
	}
	if string(got) != want {
		t.Errorf("the history has the finish reason %q, want %q", got, want)
	}
}

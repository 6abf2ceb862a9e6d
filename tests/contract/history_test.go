package contract_test

import (
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/chatkit-rest/chatkit-rest/gen/client"
	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// TestStoredHistory tests what is stored of a session.
func TestStoredHistory(t *testing.T) {
	t.Parallel()
	suite(t, nil, map[string]check{
		"title":         title,
		"history":       history,
		"empty session": emptySession,
	})
}

// title checks that the title is made of the first message, has at most 100
// characters and ends at a word.
func title(t *testing.T, server *harness.Server) {
	words := strings.TrimSpace(strings.Repeat("word ", 40))
	exactly := strings.Repeat("a", 94) + " bcdef" // 100
	cases := []struct{ name, message, title string }{
		{"short", "What is a UUID?", "What is a UUID?"},
		{"white space around", "  \n What? \t", "What?"},
		{"100", exactly, exactly},
		{"100 and a word", exactly + " more", exactly},
		{"101 in the last word", exactly + "g", strings.Repeat("a", 94)},
		{"long", words, strings.TrimSpace(strings.Repeat("word ", 20))},
		{"one long word", strings.Repeat("a", 150), strings.Repeat("a", 100)},
		{"100 emoji", strings.Repeat(astral, 100), strings.Repeat(astral, 100)},
		{"150 emoji", strings.Repeat(astral, 150), strings.Repeat(astral, 100)},
		{"emoji words", strings.Repeat(strings.Repeat(astral, 29)+" ", 5), strings.TrimSpace(strings.Repeat(strings.Repeat(astral, 29)+" ", 3))},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			alice := server.User(t)
			session := alice.CreateSession()
			events := alice.Say(session, c.message)
			alice.Say(session, "Another message")
			title := alice.Session(session).Title
			if title == nil || *title != c.title || utf8.RuneCountInString(*title) > 100 {
				t.Fatalf("the title is %q, want %q", *title, c.title)
			}
			if listed := alice.Sessions().Data[0].Title; listed == nil || *listed != c.title {
				t.Errorf("the list's title is %v, want %q", listed, c.title)
			}
			updated, ok := events[len(events)-2].Value.(client.ThreadUpdatedEvent)
			if !ok || updated.Thread.Title == nil || *updated.Thread.Title != c.title {
				t.Errorf("the event before [DONE] is %s, want the title %q", events[len(events)-2].Raw, c.title)
			}
		})
	}
}

// history checks that the stored messages are those of the stream, oldest
// first.
func history(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	id := alice.CreateSession()
	var ids []string
	for _, parts := range [][]string{{"one"}, {"two, ", "in parts"}, {"three"}} {
		for _, event := range alice.Say(id, parts...) {
			if done, ok := event.Value.(client.ThreadItemDoneEvent); ok {
				ids = append(ids, itemID(t, done.Item))
			}
		}
	}
	session := alice.Session(id)
	if len(session.Messages) != 6 || len(ids) != 6 {
		t.Fatalf("the history has %d messages, the streams had %d", len(session.Messages), len(ids))
	}
	for n, message := range session.Messages {
		role := []client.MessageRole{client.MessageRoleUser, client.MessageRoleAssistant}[n%2]
		if message.ID.String() != ids[n] || message.Role != role {
			t.Errorf("message %d is %s of %s, want %s of %s", n, message.ID, message.Role, ids[n], role)
		}
		if n > 0 && message.CreatedAt.Before(session.Messages[n-1].CreatedAt) {
			t.Errorf("message %d is older than the one before", n)
		}
	}
	if parts := session.Messages[2].Content; len(parts) != 2 {
		t.Errorf("a message in two parts has %d in the history", len(parts))
	}
	if count := alice.Sessions().Data[0].MessageCount; count != 6 {
		t.Errorf("message_count is %d, want 6", count)
	}
	raw := alice.Do(harness.Request{Method: http.MethodGet, Path: harness.SessionPath(id)})
	if strings.Contains(string(raw.Body), "tool_calls") {
		t.Errorf("tool_calls of messages that used no tool: %s", raw.Body)
	}
}

func itemID(t *testing.T, item client.ThreadItem) string {
	t.Helper()
	value, err := item.ValueByDiscriminator()
	if err != nil {
		t.Fatal(err)
	}
	switch value := value.(type) {
	case client.UserMessageItem:
		return value.ID.String()
	case client.AssistantMessageItem:
		return value.ID.String()
	default:
		t.Fatalf("an item of type %T", value)
		return ""
	}
}

// emptySession checks that the messages of a new session are an empty list and
// not null.
func emptySession(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	raw := alice.Do(harness.Request{Method: http.MethodGet, Path: harness.SessionPath(alice.CreateSession())})
	for _, part := range []string{`"title":null`, `"messages":[]`} {
		if !strings.Contains(string(raw.Body), part) {
			t.Errorf("an empty session lacks %s: %s", part, raw.Body)
		}
	}
}

package streams_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// The types of a stream's events; an update has the type of its part.
const (
	itemDone      = "thread.item.done"
	streamOptions = "stream_options"
	itemAdded     = "thread.item.added"
	partAdded     = "assistant_message.content_part.added"
	textDelta     = "assistant_message.content_part.text_delta"
	partDone      = "assistant_message.content_part.done"
	threadUpdated = "thread.updated"
	failed        = "error"
	endOfStream   = "[DONE]"
)

// wire has the fields of an event that the tests check.
type wire struct {
	Type   string `json:"type"`
	ItemID string `json:"item_id"`
	Item   struct {
		ID      string `json:"id"`
		Type    string `json:"type"`
		Content []struct {
			Text string `json:"text"`
		} `json:"content"`
	} `json:"item"`
	Update struct {
		Type    string `json:"type"`
		Delta   string `json:"delta"`
		Content struct {
			Text string `json:"text"`
		} `json:"content"`
	} `json:"update"`
	Thread struct {
		Title string `json:"title"`
	} `json:"thread"`
	Code       string `json:"code"`
	Message    string `json:"message"`
	AllowRetry bool   `json:"allow_retry"`
}

// transcript collects the content of the events of a stream.
type transcript struct {
	// types are in order; consecutive deltas count as one.
	types  []string
	deltas []string
	// asked, part and answer are the texts of the user's item, of the part and
	// of the assistant's item.
	asked  string
	part   string
	answer string
	title  string
	fault  wire
	ids    []string // of the assistant's item, each time it is named
}

func (s *transcript) said() string { return strings.Join(s.deltas, "") }

// readTranscript fails the test at data that is not an event.
func readTranscript(t *testing.T, events []harness.Event) *transcript {
	t.Helper()
	s := &transcript{}
	for _, event := range events {
		s.add(t, event.Raw)
	}
	return s
}

// add adds the data of an event and returns the event's type.
func (s *transcript) add(t *testing.T, data string) string {
	t.Helper()
	if data == endOfStream {
		s.types = append(s.types, endOfStream)
		return endOfStream
	}
	var e wire
	if err := json.Unmarshal([]byte(data), &e); err != nil {
		t.Fatalf("an event is not JSON: %v: %s", err, brief(data))
	}
	name := e.Type
	switch e.Type {
	case itemDone:
		s.addItem(t, e)
	case itemAdded:
		s.ids = append(s.ids, e.Item.ID)
	case "thread.item.updated":
		s.ids = append(s.ids, e.ItemID)
		name = e.Update.Type
	case threadUpdated:
		s.title = e.Thread.Title
	case failed:
		s.fault = e
	}
	switch name {
	case textDelta:
		s.deltas = append(s.deltas, e.Update.Delta)
		if len(s.types) > 0 && s.types[len(s.types)-1] == textDelta {
			return name
		}
	case partDone:
		s.part = e.Update.Content.Text
	}
	s.types = append(s.types, name)
	return name
}

func (s *transcript) addItem(t *testing.T, e wire) {
	t.Helper()
	if len(e.Item.Content) != 1 {
		t.Errorf("an item has %d parts, want 1", len(e.Item.Content))
		return
	}
	text := e.Item.Content[0].Text
	if e.Item.Type == "user_message" {
		s.asked = text
		return
	}
	s.answer = text
	s.ids = append(s.ids, e.Item.ID)
}

// check checks the transcript's order of events. An answer without text has no item.
func (s *transcript) check(t *testing.T, question, answer string, titled, broke bool) {
	t.Helper()
	want := []string{itemDone, streamOptions}
	if answer != "" {
		want = append(want, itemAdded, partAdded, textDelta, partDone, itemDone)
	}
	if broke {
		want = append(want, failed)
	}
	if titled {
		want = append(want, threadUpdated)
	}
	want = append(want, endOfStream)
	if !slices.Equal(s.types, want) {
		t.Errorf("events came as\n%v, want\n%v", s.types, want)
	}
	if s.asked != question {
		t.Errorf("the user's item says %q, want %q", s.asked, question)
	}
	for what, got := range map[string]string{"deltas": s.said(), "part": s.part, "item": s.answer} {
		if got != answer {
			t.Errorf("the %s of the answer say %s, want %s", what, brief(got), brief(answer))
		}
	}
	if len(slices.Compact(s.ids)) > 1 {
		t.Errorf("the answer's events name several items: %v", slices.Compact(s.ids))
	}
	if broke && (s.fault.Code != "stream.error" || s.fault.Message == "") {
		t.Errorf("the error event has code %q and message %q", s.fault.Code, s.fault.Message)
	}
}

// brief shortens a text for a log.
func brief(text string) string {
	const most = 300
	quoted, err := json.Marshal(text)
	if err != nil || len(quoted) <= most {
		return string(quoted)
	}
	return string(quoted[:most]) + "…"
}

// line is a message of a session's history.
type line struct{ role, text string }

// checkHistory checks the messages of a session.
func checkHistory(t *testing.T, user *harness.User, session uuid.UUID, want ...line) {
	t.Helper()
	got := history(t, user, session)
	if slices.Equal(got, want) {
		return
	}
	t.Errorf("the history has %d messages, want %d", len(got), len(want))
	for n, message := range got {
		t.Logf("%d: %s: %s", n, message.role, brief(message.text))
	}
}

func history(t *testing.T, user *harness.User, session uuid.UUID) []line {
	t.Helper()
	messages := user.Session(session).Messages
	lines := make([]line, len(messages))
	for n, message := range messages {
		lines[n].role = string(message.Role)
		for _, content := range message.Content {
			part, err := content.AsOutputTextContent()
			if err != nil {
				t.Fatalf("a part of a message has no text: %v", err)
			}
			lines[n].text += part.Text
		}
	}
	return lines
}

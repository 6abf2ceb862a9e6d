package stream

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

func sampleItems() []chat.Item {
	thread, at := uuid.New(), time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)
	quoted, index := "quoted", 3
	items := []chat.Item{
		{
			Type: chat.ItemUserMessage, QuotedText: &quoted, Inference: chat.Inference{Model: "a/model", ToolChoice: "look"},
			Content: []chat.Content{
				{Type: chat.ContentInputText, Text: "Hello"},
				{Type: chat.ContentInputTag, Text: "@tom", Tag: &chat.Tag{ID: "t", Data: json.RawMessage(`{"a":1}`)}},
			},
			Attachments: []chat.Attachment{
				{ID: uuid.New(), Name: "cat.png", MimeType: "image/png"}, {ID: uuid.New(), Name: "a.txt", MimeType: "text/plain"},
			},
		},
		{Type: chat.ItemAssistantMessage, Content: []chat.Content{{
			Type: chat.ContentOutputText, Text: "Hi", Annotations: []chat.Annotation{{URL: "https://a.example", Title: "A", Index: &index}},
		}}},
		{Type: chat.ItemClientToolCall, ClientCall: &chat.ClientToolCall{
			CallID: "c", Name: "pick", Arguments: json.RawMessage(`{}`), Output: json.RawMessage(`[1]`),
		}},
		{Type: chat.ItemWorkflow, Workflow: &chat.Workflow{Thoughts: []string{"so"}, Duration: time.Second, Done: true}},
	}
	for n := range items {
		items[n].ID, items[n].SessionID, items[n].CreatedAt = uuid.New(), thread, at
	}
	return items
}

// same reads JSON into a generated type and holds what that writes against it.
func same[Generated any](t *testing.T, name string, written []byte) {
	t.Helper()
	var value Generated
	if err := json.Unmarshal(written, &value); err != nil {
		t.Fatalf("%s: %v in %s", name, err, written)
	}
	generated, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if string(generated) != string(written) {
		t.Errorf("%s\nwritten   %s\ngenerated %s", name, written, generated)
	}
}

// The wire types of this package must write what the generated ones do.
func TestWireTypesWriteWhatTheGeneratedTypesDo(t *testing.T) {
	t.Parallel()
	preview := func(chat.Attachment) string { return "https://chat.example/a" }
	page := ItemPage{HasMore: true, After: new("next")}
	for _, item := range sampleItems() {
		to, err := ToAPIItem(item, preview)
		if err != nil {
			t.Fatal(err)
		}
		page.Data = append(page.Data, to)
		for _, event := range []chat.Event{chat.ItemAdded{Item: item}, chat.ItemDone{Item: item}} {
			sameEvent(t, event, preview)
		}
	}
	session := chat.Session{ID: uuid.New(), Title: "A title", CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	for _, event := range []chat.Event{
		chat.SessionUpdated{Session: session},
		chat.PartAdded{ItemID: uuid.New(), Index: 1},
		chat.PartDone{ItemID: uuid.New(), Text: "all"},
		chat.ThoughtAdded{ItemID: uuid.New(), Text: "so"},
		chat.ThoughtUpdated{ItemID: uuid.New(), Index: 1, Text: "so it is"},
	} {
		sameEvent(t, event, preview)
	}
	same[api.ThreadItemPage](t, "page of items", encode(t, page))
	same[api.Thread](t, "thread", encode(t, ToAPIThread(session, page, []string{"images.example"})))
	same[api.ThreadPage](t, "page of threads", encode(t, ThreadPage{Data: []Thread{ToAPIThread(session, ItemPage{}, nil)}}))
	same[api.ThreadCreatedEvent](t, "thread created", encode(t, ThreadEvent{
		Type: string(api.ThreadCreatedEventTypeThreadCreated), Thread: ToAPIThread(session, ItemPage{}, nil),
	}))
}

func encode(t *testing.T, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func sameEvent(t *testing.T, event chat.Event, preview Preview) {
	t.Helper()
	value, err := toAPIEvent(event, preview, nil)
	if err != nil {
		t.Fatal(err)
	}
	written := encode(t, value)
	switch event.(type) {
	case chat.ItemAdded:
		same[api.ThreadItemAddedEvent](t, "item added", written)
	case chat.ItemDone:
		same[api.ThreadItemDoneEvent](t, "item done", written)
	case chat.SessionUpdated:
		same[api.ThreadUpdatedEvent](t, "thread updated", written)
	default:
		same[api.ThreadItemUpdatedEvent](t, "item updated", written)
	}
}

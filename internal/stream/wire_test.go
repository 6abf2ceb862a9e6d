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

// checkSame decodes JSON to a generated type and checks that encoding that gives the
// same JSON.
func checkSame[Generated any](t *testing.T, name string, encoded []byte) {
	t.Helper()
	var value Generated
	if err := json.Unmarshal(encoded, &value); err != nil {
		t.Fatalf("%s: %v in %s", name, err, encoded)
	}
	generated, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if string(generated) != string(encoded) {
		t.Errorf("%s\nencoded   %s\ngenerated %s", name, encoded, generated)
	}
}

// TestWireTypes checks that the types of this package encode as the generated ones do.
func TestWireTypes(t *testing.T) {
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
			checkSameEvent(t, event, preview)
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
		checkSameEvent(t, event, preview)
	}
	checkSame[api.ThreadItemPage](t, "page of items", encode(t, page))
	checkSame[api.Thread](t, "thread", encode(t, ToAPIThread(session, page, []string{"images.example"})))
	checkSame[api.ThreadPage](t, "page of threads", encode(t, ThreadPage{Data: []Thread{ToAPIThread(session, ItemPage{}, nil)}}))
	checkSame[api.ThreadCreatedEvent](t, "thread created", encode(t, ThreadEvent{
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

func checkSameEvent(t *testing.T, event chat.Event, preview Preview) {
	t.Helper()
	value, err := toAPIEvent(event, preview, nil)
	if err != nil {
		t.Fatal(err)
	}
	encoded := encode(t, value)
	switch event.(type) {
	case chat.ItemAdded:
		checkSame[api.ThreadItemAddedEvent](t, "item added", encoded)
	case chat.ItemDone:
		checkSame[api.ThreadItemDoneEvent](t, "item done", encoded)
	case chat.SessionUpdated:
		checkSame[api.ThreadUpdatedEvent](t, "thread updated", encoded)
	default:
		checkSame[api.ThreadItemUpdatedEvent](t, "item updated", encoded)
	}
}

package rest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/sse"
)

// eventEncoder writes the core's events as the documented ThreadStreamEvents.
type eventEncoder struct {
	out *sse.Writer
	// json writes a value and a line break to out's buffer.
	json *json.Encoder
	// deltaOf and deltaHead are the item and the start of the last delta
	// event. Deltas are most of a stream and differ in their text alone.
	deltaOf   uuid.UUID
	deltaHead string
}

func newEventEncoder(out *sse.Writer) *eventEncoder {
	encoder := json.NewEncoder(out.Buffer())
	encoder.SetEscapeHTML(false) // The stream is not HTML; the Python package escapes nothing either.
	return &eventEncoder{out: out, json: encoder}
}

func (e *eventEncoder) encode(event chat.Event) error {
	e.out.Begin()
	if delta, ok := event.(*chat.TextDelta); ok {
		return e.encodeDelta(delta)
	}
	value, err := toAPIEvent(event)
	if err != nil {
		return err
	}
	return e.encodeJSON(value, "")
}

// encodeDelta writes what api.ThreadItemUpdatedEvent would be as JSON, without
// making one.
func (e *eventEncoder) encodeDelta(delta *chat.TextDelta) error {
	if e.deltaOf != delta.ItemID {
		e.deltaOf = delta.ItemID
		e.deltaHead = `{"type":"thread.item.updated","item_id":"` + delta.ItemID.String() +
			`","update":{"type":"assistant_message.content_part.text_delta","content_index":`
	}
	buffer := e.out.Buffer()
	buffer.WriteString(e.deltaHead)
	buffer.Write(strconv.AppendInt(buffer.AvailableBuffer(), int64(delta.Index), 10))
	buffer.WriteString(`,"delta":`)
	if !isPlain(delta.Delta) {
		return e.encodeJSON(delta.Delta, "}}")
	}
	buffer.WriteByte('"')
	buffer.WriteString(delta.Delta)
	buffer.WriteString(`"}}`)
	e.out.End()
	return nil
}

// isPlain says that a text is its own JSON string, but for the quotes.
func isPlain(text string) bool {
	ascii := true
	for n := range len(text) {
		c := text[n]
		if c < ' ' || c == '"' || c == '\\' {
			return false
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	return ascii || utf8.ValidString(text)
}

// encodeJSON ends the event with the value's JSON and the tail.
func (e *eventEncoder) encodeJSON(value any, tail string) error {
	if err := e.json.Encode(value); err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	buffer := e.out.Buffer()
	buffer.Truncate(buffer.Len() - 1) // the encoder's line break
	buffer.WriteString(tail)
	e.out.End()
	return nil
}

// toAPIEvent turns any event but a delta into its generated type.
func toAPIEvent(event chat.Event) (any, error) {
	switch event := event.(type) {
	case chat.ItemDone:
		item, err := toAPIItem(event.Item)
		return api.ThreadItemDoneEvent{Type: api.ThreadItemDoneEventTypeThreadItemDone, Item: item}, err
	case chat.ItemAdded:
		item, err := toAPIItem(event.Item)
		return api.ThreadItemAddedEvent{Type: api.ThreadItemAddedEventTypeThreadItemAdded, Item: item}, err
	case chat.StreamOptions:
		return api.StreamOptionsEvent{
			Type:          api.StreamOptionsEventTypeStreamOptions,
			StreamOptions: api.StreamOptions{AllowCancel: event.AllowCancel},
		}, nil
	case chat.PartAdded:
		var update api.ThreadItemUpdate
		err := update.FromAssistantMessageContentPartAdded(api.AssistantMessageContentPartAdded{
			Type:         api.AssistantMessageContentPartAddedTypeAdded,
			ContentIndex: event.Index, Content: toAPIOutputText(""),
		})
		return toAPIUpdate(event.ItemID, update), err
	case chat.PartDone:
		var update api.ThreadItemUpdate
		err := update.FromAssistantMessageContentPartDone(api.AssistantMessageContentPartDone{
			Type:         api.AssistantMessageContentPartDoneTypeDone,
			ContentIndex: event.Index, Content: toAPIOutputText(event.Text),
		})
		return toAPIUpdate(event.ItemID, update), err
	case chat.SessionUpdated:
		return api.ThreadUpdatedEvent{Type: api.ThreadUpdatedEventTypeThreadUpdated, Thread: toAPIThread(event.Session)}, nil
	case chat.Failed:
		return api.ErrorEvent{
			Type: api.ErrorEventTypeError, Code: api.ErrorEventCodeStreamError,
			Message: event.Message, AllowRetry: event.AllowRetry,
		}, nil
	default:
		return nil, fmt.Errorf("no wire form for event %T", event)
	}
}

func toAPIUpdate(itemID uuid.UUID, update api.ThreadItemUpdate) api.ThreadItemUpdatedEvent {
	return api.ThreadItemUpdatedEvent{
		Type: api.ThreadItemUpdatedEventTypeThreadItemUpdated, ItemID: itemID, Update: update,
	}
}

func toAPIOutputText(text string) api.AssistantMessageContent {
	return api.AssistantMessageContent{
		Type: api.AssistantMessageContentTypeOutputText, Text: text, Annotations: []api.Annotation{},
	}
}

func toAPIItem(item chat.Item) (api.ThreadItem, error) {
	var to api.ThreadItem
	var err error
	if item.Type == chat.ItemUserMessage {
		content := make([]api.UserMessageTextContent, len(item.Content))
		for n, part := range item.Content {
			content[n] = api.UserMessageTextContent{Type: api.UserMessageTextContentTypeInputText, Text: part.Text}
		}
		err = to.FromUserMessageItem(api.UserMessageItem{
			Type: api.UserMessageItemTypeUserMessage,
			ID:   item.ID, ThreadID: item.SessionID, CreatedAt: item.CreatedAt,
			Content: content, Attachments: []api.Attachment{},
		})
	} else {
		content := make([]api.AssistantMessageContent, len(item.Content))
		for n, part := range item.Content {
			content[n] = toAPIOutputText(part.Text)
		}
		err = to.FromAssistantMessageItem(api.AssistantMessageItem{
			Type: api.AssistantMessageItemTypeAssistantMessage,
			ID:   item.ID, ThreadID: item.SessionID, CreatedAt: item.CreatedAt, Content: content,
		})
	}
	if err != nil {
		return api.ThreadItem{}, fmt.Errorf("convert thread item: %w", err)
	}
	return to, nil
}

func toAPIThread(session chat.Session) api.Thread {
	return api.Thread{
		ID: session.ID, CreatedAt: session.CreatedAt, Title: toAPITitle(session.Title),
		Status:   api.ActiveStatus{Type: api.ActiveStatusTypeActive},
		Metadata: api.ThreadMetadata{}, Items: api.ThreadItemPage{Data: []api.ThreadItem{}},
	}
}

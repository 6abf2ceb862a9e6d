package eventlog

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// encodedEvent is an event in Redis.
type encodedEvent struct {
	Type  string          `json:"type"`
	Event json.RawMessage `json:"event"`
}

// encodeEvents encodes events as a JSON array of objects with the fields of
// encodedEvent.
func encodeEvents(events []chat.Event) ([]byte, error) {
	type encoded struct {
		Type  string     `json:"type"`
		Event chat.Event `json:"event"`
	}
	all := make([]encoded, len(events))
	for n, event := range events {
		all[n] = encoded{Type: typeOf(event), Event: event}
	}
	return json.Marshal(all)
}

// typeOf returns the name of an event's type. The names are stored in Redis, where
// a server process of another version may read them.
func typeOf(event chat.Event) string {
	switch event.(type) {
	case chat.ItemDone:
		return "item_done"
	case chat.StreamOptions:
		return "stream_options"
	case chat.ItemAdded:
		return "item_added"
	case chat.PartAdded:
		return "part_added"
	case *chat.TextDelta:
		return "text_delta"
	case chat.PartDone:
		return "part_done"
	case chat.ThoughtAdded:
		return "thought_added"
	case chat.ThoughtUpdated:
		return "thought_updated"
	case chat.Progress:
		return "progress"
	case chat.Notice:
		return "notice"
	case chat.SessionUpdated:
		return "session_updated"
	case chat.Failed:
		return "failed"
	}
	return ""
}

// decodeEvents is the inverse of encodeEvents.
func decodeEvents(data []byte) ([]chat.Event, error) {
	var all []encodedEvent
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, fmt.Errorf("decode events: %w", err)
	}
	events := make([]chat.Event, len(all))
	for n, one := range all {
		var err error
		if events[n], err = decodeEvent(one); err != nil {
			return nil, fmt.Errorf("decode event of type %q: %w", one.Type, err)
		}
	}
	return events, nil
}

func decodeEvent(from encodedEvent) (chat.Event, error) {
	switch from.Type {
	case "item_done":
		return decodeAs[chat.ItemDone](from.Event)
	case "stream_options":
		return decodeAs[chat.StreamOptions](from.Event)
	case "item_added":
		return decodeAs[chat.ItemAdded](from.Event)
	case "part_added":
		return decodeAs[chat.PartAdded](from.Event)
	case "text_delta":
		return decodeAs[*chat.TextDelta](from.Event)
	case "part_done":
		return decodeAs[chat.PartDone](from.Event)
	case "thought_added":
		return decodeAs[chat.ThoughtAdded](from.Event)
	case "thought_updated":
		return decodeAs[chat.ThoughtUpdated](from.Event)
	case "progress":
		return decodeAs[chat.Progress](from.Event)
	case "notice":
		return decodeAs[chat.Notice](from.Event)
	case "session_updated":
		return decodeAs[chat.SessionUpdated](from.Event)
	case "failed":
		return decodeAs[chat.Failed](from.Event)
	}
	return nil, errors.New("this version does not know it")
}

func decodeAs[E chat.Event](data []byte) (chat.Event, error) {
	var event E
	err := json.Unmarshal(data, &event)
	return event, err
}

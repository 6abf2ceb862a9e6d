package stream

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/jsontext"
	"github.com/chatkit-rest/chatkit-rest/internal/sse"
)

// encoder writes the core's events as the documented ones.
type encoder struct {
	out *sse.Writer
	// failed is the door's form of a failure.
	failed func(chat.Failed) any
	// preview is the user's.
	preview      Preview
	imageDomains []string
	// json writes a value and a line break to out's buffer.
	json *json.Encoder
	// deltaOf and deltaHead are the item and the start of the last delta
	// event. Deltas are most of a stream and differ in their text alone.
	deltaOf   uuid.UUID
	deltaHead string
}

func newEncoder(out *sse.Writer, o Options) *encoder {
	values := json.NewEncoder(out.Buffer())
	values.SetEscapeHTML(false) // The stream is not HTML; the Python package escapes nothing either.
	return &encoder{out: out, json: values, failed: o.Failed, preview: o.Preview, imageDomains: o.ImageDomains}
}

// Write adds events that are no run's, already in their generated types.
func Write(out *sse.Writer, events ...any) error {
	e := newEncoder(out, Options{})
	for _, event := range events {
		out.Begin()
		if err := e.encodeJSON(event, ""); err != nil {
			return err
		}
	}
	return nil
}

func (e *encoder) encode(event chat.Event) error {
	e.out.Begin()
	if delta, ok := event.(*chat.TextDelta); ok {
		return e.encodeDelta(delta)
	}
	if failed, ok := event.(chat.Failed); ok {
		return e.encodeJSON(e.failed(failed), "")
	}
	value, err := toAPIEvent(event, e.preview, e.imageDomains)
	if err != nil {
		return err
	}
	return e.encodeJSON(value, "")
}

// encodeDelta writes what api.ThreadItemUpdatedEvent would be as JSON, without
// making one.
func (e *encoder) encodeDelta(delta *chat.TextDelta) error {
	if e.deltaOf != delta.ItemID {
		e.deltaOf = delta.ItemID
		e.deltaHead = `{"type":"thread.item.updated","item_id":"` + delta.ItemID.String() +
			`","update":{"type":"assistant_message.content_part.text_delta","content_index":`
	}
	buffer := e.out.Buffer()
	buffer.WriteString(e.deltaHead)
	buffer.Write(strconv.AppendInt(buffer.AvailableBuffer(), int64(delta.Index), 10))
	buffer.WriteString(`,"delta":`)
	if !jsontext.IsLiteral(delta.Delta) {
		return e.encodeJSON(delta.Delta, "}}")
	}
	buffer.WriteByte('"')
	buffer.WriteString(delta.Delta)
	buffer.WriteString(`"}}`)
	e.out.End()
	return nil
}

// encodeJSON ends the event with the value's JSON and the tail.
func (e *encoder) encodeJSON(value any, tail string) error {
	if err := e.json.Encode(value); err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	buffer := e.out.Buffer()
	buffer.Truncate(buffer.Len() - 1) // the encoder's line break
	buffer.WriteString(tail)
	e.out.End()
	return nil
}

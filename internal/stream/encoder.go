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

// encoder encodes the core's events as the documented events.
type encoder struct {
	out *sse.Writer
	// failed returns the event of a failure.
	failed func(chat.Failed) any
	// preview returns the previews of the user's images.
	preview      Preview
	imageDomains []string
	// json encodes a value and a line break to the buffer of out.
	json *json.Encoder
	// deltaItem and deltaHead are the item and the start of the last delta event.
	// Most events of a stream are deltas and differ only in their text.
	deltaItem uuid.UUID
	deltaHead string
}

func newEncoder(out *sse.Writer, o Options) *encoder {
	values := json.NewEncoder(out.Buffer())
	values.SetEscapeHTML(false) // The stream is not HTML, and the Python package does not escape either.
	return &encoder{out: out, json: values, failed: o.Failed, preview: o.Preview, imageDomains: o.ImageDomains}
}

// Write adds events that do not belong to a run, in their generated types.
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

// encodeDelta encodes a delta as api.ThreadItemUpdatedEvent does, without creating
// one.
func (e *encoder) encodeDelta(delta *chat.TextDelta) error {
	if e.deltaItem != delta.ItemID {
		e.deltaItem = delta.ItemID
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

// encodeJSON writes the value as JSON and the tail, and ends the event.
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

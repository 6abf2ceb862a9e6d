package openrouter

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// answer turns a body into chunks. It knows no HTTP: an error of its reader
// that is not io.EOF is passed on as it is.
type answer struct {
	events  eventReader
	pattern pattern
	calls   calls
	think   thinkFilter
	// textPairs and reasoningPairs join surrogate pairs that were split over two
	// deltas.
	textPairs, reasoningPairs pairJoiner
	// pending are the chunks that were read and that next has not returned.
	pending []chat.Chunk
	// model and id are empty until they are told.
	model, id string
	// finished reports whether a finish_reason has come, so that the text is
	// complete, and unknown whether an event has come that is no chunk.
	finished, unknown bool
	// kind is the media type of the body's first bytes, and begun reports whether
	// an event has come.
	kind  string
	begun bool
	// ended is what next returns after the last chunk.
	ended error
}

func newAnswer(body io.Reader) *answer {
	return &answer{events: eventReader{source: body}}
}

// open waits for the first byte. If what comes first is an error, and not
// content, it returns that as an *chat.UpstreamError. Once a comment has come it
// reads nothing more: a comment is all a slow model may send for a minute.
func (a *answer) open() error {
	first, err := a.events.begin()
	if errors.Is(err, io.EOF) {
		return broken(errEmptyBody)
	}
	if err != nil {
		return err
	}
	switch first {
	case '{', '[':
		return a.openWhole(first)
	case '<':
		return broken(errHTML)
	}
	a.kind, _, _ = strings.Cut(http.DetectContentType(a.events.buf[a.events.start:a.events.end]), ";")
	for a.ended == nil {
		data, ok, err := a.events.buffered()
		if err != nil {
			return err
		}
		if !ok {
			if a.events.commented || len(a.pending) > 0 {
				return nil
			}
			data, ok, err = a.more()
		}
		if err != nil {
			a.end(err)
			break
		}
		if ok && a.addEvent(data) {
			return nil
		}
	}
	return a.refusal()
}

// openWhole is for a body of JSON: an error, or an answer by a server that
// does not stream.
func (a *answer) openWhole(first byte) error {
	body, err := a.events.whole()
	if err != nil {
		return err
	}
	var said event
	if first == '[' {
		var list []event
		if err := unmarshal(body, &list); err != nil || len(list) == 0 {
			return broken(errNotProtocol)
		}
		said = list[0]
	} else if err := unmarshal(body, &said); err != nil {
		return broken(errNotProtocol)
	}
	if said.isErrorObject() {
		_ = said.Error.UnmarshalJSON(body) // The body was decoded before.
	}
	chunk, err := a.take(&said)
	if err == nil && len(said.Choices) == 0 {
		return broken(errNotProtocol)
	}
	a.clean(&chunk)
	a.flush(&chunk)
	a.pending, a.ended = append(a.pending, chunk), err
	if err == nil {
		a.ended = io.EOF
	}
	return a.refusal()
}

// addEvent adds the chunk of an event to pending, and reports whether it has
// content.
func (a *answer) addEvent(data []byte) bool {
	chunk, err := a.chunk(data)
	a.ended = err
	content := hasContent(chunk)
	if err == nil || content {
		a.pending = append(a.pending, chunk)
	}
	return content
}

// refusal is the error that came before the model said anything.
func (a *answer) refusal() error {
	if slices.ContainsFunc(a.pending, says) {
		return nil
	}
	if errors.Is(a.ended, io.EOF) {
		return nil
	}
	return a.ended
}

// next sets *chunk to the next chunk. It returns io.EOF after a complete answer,
// and an *chat.UpstreamError, or the reader's error, after one that broke. A live
// stream waits here, so what would make this stack frame larger is in the functions
// it calls.
func (a *answer) next(chunk *chat.Chunk) error {
	for len(a.pending) == 0 {
		if a.ended != nil {
			return a.ended
		}
		data, ok, err := a.events.buffered()
		if err == nil && !ok {
			data, ok, err = a.more()
		}
		if err != nil {
			a.end(err)
		} else if ok {
			a.addEvent(data)
		}
	}
	*chunk = a.pending[0]
	a.pending = slices.Delete(a.pending, 0, 1)
	return nil
}

// more reads from the body. At its end it returns the event that is left there,
// or io.EOF.
func (a *answer) more() (data []byte, ok bool, err error) {
	err = a.events.fill()
	if !errors.Is(err, io.EOF) {
		return nil, false, err
	}
	data, ok, failed := a.events.rest()
	if ok && failed == nil {
		return data, true, nil // The next read returns io.EOF again.
	}
	return nil, false, cmp.Or(failed, err)
}

// end sets how the answer ended, from the error of its body; io.EOF is the body's
// end. It adds what was held back to pending.
func (a *answer) end(err error) {
	switch {
	case a.finished:
		// The text is complete; only what came after it was lost.
		a.ended = io.EOF
	case errors.Is(err, io.EOF) && !a.begun && !a.events.commented && a.kind != "":
		a.ended = notStream(a.kind)
	case errors.Is(err, io.EOF):
		a.ended = broken(errUnfinished)
	default:
		a.ended = err
	}
	var chunk chat.Chunk
	if a.flush(&chunk); hasContent(chunk) {
		a.pending = append(a.pending, chunk)
	}
}

// chunk reads an event. It returns io.EOF for the last one, [DONE]. What was held
// back comes with the last text, or with the error that ends the answer.
func (a *answer) chunk(data []byte) (chat.Chunk, error) {
	a.begun = true
	chunk, err := a.readEvent(data)
	a.clean(&chunk)
	if err != nil || chunk.FinishReason != "" {
		a.flush(&chunk)
	}
	return chunk, err
}

// clean joins surrogate pairs, and moves reasoning out of the text.
func (a *answer) clean(chunk *chat.Chunk) {
	chunk.Reasoning = a.reasoningPairs.join(chunk.Reasoning)
	if chunk.Text != "" {
		chunk.Reasoning += a.reasoningPairs.flush()
	}
	reasoning, text := a.think.split(a.textPairs.join(chunk.Text))
	chunk.Reasoning, chunk.Text = chunk.Reasoning+reasoning, text
}

// flush adds what was held back.
func (a *answer) flush(chunk *chat.Chunk) {
	reasoning, text := a.think.split(a.textPairs.flush())
	lastReasoning, lastText := a.think.flush()
	chunk.Reasoning += a.reasoningPairs.flush() + reasoning + lastReasoning
	chunk.Text += text + lastText
	chunk.Calls = append(chunk.Calls, a.calls.flush()...)
}

// readEvent decodes an event.
func (a *answer) readEvent(data []byte) (chat.Chunk, error) {
	if a.events.wasError {
		return a.readError(data)
	}
	if text, ok := a.pattern.text(data); ok {
		return chat.Chunk{Text: text}, nil
	}
	data = bytes.Trim(data, whiteSpace)
	if isFiller(data) {
		return chat.Chunk{}, nil
	}
	if string(data) == "[DONE]" {
		return chat.Chunk{}, a.done()
	}
	said, err := decode(data)
	if err != nil {
		if a.finished {
			return chat.Chunk{}, io.EOF
		}
		return chat.Chunk{}, err
	}
	if said.isErrorObject() || (said.isUnknown() && said.Message+said.Detail != "") {
		return a.readError(data)
	}
	a.unknown = a.unknown || said.isUnknown()
	chunk, err := a.take(&said)
	if err == nil && textOnly(chunk) && len(said.calls()) == 0 {
		a.pattern.learn(data, chunk.Text)
	}
	return chunk, err
}

// isFiller reports whether the data of an event is one of those that servers and
// proxies send to keep a connection open.
func isFiller(data []byte) bool {
	switch strings.ToLower(string(bytes.TrimLeft(data[:min(len(data), 16)], ": "))) {
	case "", "null", "[]", "{}", `""`, "ping", "keepalive", "keep-alive", "heartbeat":
		return true
	}
	return len(data) > 0 && data[0] == ':'
}

// readError reads an event that is an error, in whatever form.
func (a *answer) readError(data []byte) (chat.Chunk, error) {
	said, err := decode(bytes.Trim(data, whiteSpace))
	if err != nil {
		return chat.Chunk{}, broken(errSaidEvent)
	}
	if said.Error.UpstreamError == nil {
		// A value that is no error for the member, such as false, is one here.
		if err := said.Error.UnmarshalJSON(data); err != nil || said.Error.UpstreamError == nil {
			return chat.Chunk{}, broken(errSaidEvent)
		}
	}
	return a.take(&said)
}

// done returns how an answer ends with [DONE]. Without a finish reason it is
// complete only if nothing speaks against it.
func (a *answer) done() error {
	if !a.finished && (a.unknown || a.events.foreign || a.calls.areCut()) {
		return broken(errUnfinished)
	}
	return io.EOF
}

// take is what an event says after all that came before it: model, id and
// finish_reason are told once, pieces of tool calls are put in order.
func (a *answer) take(said *event) (chat.Chunk, error) {
	chunk, err := said.chunk()
	if a.model != "" {
		chunk.Model = ""
	}
	if a.id != "" {
		chunk.UpstreamID = ""
	}
	a.model += chunk.Model
	a.id += chunk.UpstreamID
	if pieces := said.calls(); len(pieces) > 0 {
		var failed error
		if chunk.Calls, failed = a.calls.take(pieces); failed != nil && err == nil {
			chunk.FinishReason, err = "", failed
		}
	}
	if a.finished {
		chunk.FinishReason = ""
	}
	if chunk.FinishReason == chat.FinishStop && a.calls.told > 0 {
		// Some providers say stop after calls, OpenAI too where tool_choice
		// names the tool.
		chunk.FinishReason = chat.FinishToolCalls
	}
	a.finished = a.finished || chunk.FinishReason != ""
	return chunk, err
}

// textOnly says that a chunk has text alone.
func textOnly(chunk chat.Chunk) bool {
	return chunk.Reasoning == "" && chunk.Calls == nil && chunk.ReasoningDetails == nil && chunk.Annotations == nil &&
		chunk.FinishReason == "" && chunk.Usage == nil && chunk.Model == "" && chunk.UpstreamID == ""
}

// says reports that the model has said something, if not yet to the user.
func says(chunk chat.Chunk) bool {
	return chunk.Text != "" || chunk.Reasoning != "" || chunk.Calls != nil || chunk.ReasoningDetails != nil
}

func hasContent(chunk chat.Chunk) bool {
	return says(chunk) || chunk.FinishReason != "" || chunk.Usage != nil
}

func decode(data []byte) (event, error) {
	var said event
	if data[0] != '{' {
		return said, broken(errBadEvent)
	}
	if err := unmarshal(data, &said); err != nil {
		return said, broken(errBadEvent)
	}
	return said, nil
}

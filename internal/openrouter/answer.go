package openrouter

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// answer parses the body of a response into chunks. It returns errors of the
// body's reader other than io.EOF unchanged.
type answer struct {
	events  eventReader
	pattern pattern
	calls   callAssembler
	think   thinkFilter
	// textPairs and reasoningPairs join surrogate pairs that were split over two
	// deltas.
	textPairs, reasoningPairs pairJoiner
	// pending are the parsed chunks that next has not returned yet.
	pending []chat.Chunk
	// model and id are empty until an event has them.
	model, id string
	// finished reports whether an event had a finish_reason, so that the text is
	// complete.
	finished bool
	// hasUnknown reports whether an event was not a chunk.
	hasUnknown bool
	// hasEvents reports whether an event was read.
	hasEvents bool
	// ended is the error that next returns after the last chunk.
	ended error
}

func newAnswer(body io.Reader) *answer {
	return &answer{events: eventReader{source: body}}
}

// open waits for the first content. If an error arrives before any content, it
// returns that as a *chat.UpstreamError. It also returns after a comment, since a
// slow model may send only comments for a minute.
func (a *answer) open() error {
	first, err := a.events.firstByte()
	if errors.Is(err, io.EOF) {
		return broken(errEmptyBody)
	}
	if err != nil {
		return err
	}
	switch first {
	case '{', '[':
		return a.openJSON(first)
	case '<':
		return broken(errHTML)
	}
	a.events.keepHead()
	defer a.events.dropHead()
	for a.ended == nil {
		data, ok, err := a.events.buffered()
		if err != nil {
			return err
		}
		if !ok {
			if a.events.hasComment || len(a.pending) > 0 {
				return nil
			}
			data, ok, err = a.readMore()
		}
		if err != nil {
			a.end(err)
			break
		}
		if ok && a.addEvent(data) {
			return nil
		}
	}
	return a.errorBeforeOutput()
}

// openJSON parses a body that is JSON: an error, or the answer of a server that
// does not stream.
func (a *answer) openJSON(first byte) error {
	body, err := a.events.readAll()
	if err != nil {
		return err
	}
	var e event
	if first == '[' {
		var list []event
		if err := unmarshal(body, &list); err != nil || len(list) == 0 {
			return broken(errNotProtocol)
		}
		e = list[0]
	} else if err := unmarshal(body, &e); err != nil {
		return broken(errNotProtocol)
	}
	if e.isErrorObject() {
		_ = e.Error.UnmarshalJSON(body) // Cannot fail: the body was decoded above.
	}
	chunk, err := a.toChunk(&e)
	if err == nil && len(e.Choices) == 0 {
		return broken(errNotProtocol)
	}
	a.clean(&chunk)
	a.flush(&chunk)
	a.pending, a.ended = append(a.pending, chunk), err
	if err == nil {
		a.ended = io.EOF
	}
	return a.errorBeforeOutput()
}

// addEvent adds the chunk of an event to pending and reports whether the chunk has
// content.
func (a *answer) addEvent(data []byte) bool {
	chunk, err := a.parse(data)
	a.ended = err
	content := hasContent(chunk)
	if err == nil || content {
		a.pending = append(a.pending, chunk)
	}
	return content
}

// errorBeforeOutput returns the error that ended the answer before any output of
// the model, or nil.
func (a *answer) errorBeforeOutput() error {
	if slices.ContainsFunc(a.pending, hasOutput) {
		return nil
	}
	if errors.Is(a.ended, io.EOF) {
		return nil
	}
	return a.ended
}

// next sets *chunk to the next chunk. It returns io.EOF after a complete answer,
// and a *chat.UpstreamError or the reader's error after an incomplete one. Live
// streams wait in this function, so its stack frame is kept small.
func (a *answer) next(chunk *chat.Chunk) error {
	for len(a.pending) == 0 {
		if a.ended != nil {
			return a.ended
		}
		data, ok, err := a.events.buffered()
		if err == nil && !ok {
			data, ok, err = a.readMore()
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

// readMore reads from the body. At the end of the body it returns the last event,
// if that is not terminated, or io.EOF.
func (a *answer) readMore() (data []byte, ok bool, err error) {
	err = a.events.fill()
	if !errors.Is(err, io.EOF) {
		return nil, false, err
	}
	data, ok, failed := a.events.remainder()
	if ok && failed == nil {
		return data, true, nil // The next read returns io.EOF again.
	}
	return nil, false, cmp.Or(failed, err)
}

// end sets ended from the error of the body, which is io.EOF at its end. It adds the
// text that was held back to pending.
func (a *answer) end(err error) {
	switch {
	case a.finished:
		// The text is complete. Only data after it was lost.
		a.ended = io.EOF
	case errors.Is(err, io.EOF) && !a.hasEvents && !a.events.hasComment:
		a.ended = notStream(a.events.head)
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

// parse converts an event to a chunk. It returns io.EOF for [DONE]. The chunk with
// the finish_reason, or with the error that ends the answer, gets the text that was
// held back.
func (a *answer) parse(data []byte) (chat.Chunk, error) {
	a.hasEvents = true
	chunk, err := a.parseEvent(data)
	a.clean(&chunk)
	if err != nil || chunk.FinishReason != "" {
		a.flush(&chunk)
	}
	return chunk, err
}

// clean joins surrogate pairs, and moves reasoning between tags from the text to
// Reasoning.
func (a *answer) clean(chunk *chat.Chunk) {
	chunk.Reasoning = a.reasoningPairs.join(chunk.Reasoning)
	if chunk.Text != "" {
		chunk.Reasoning += a.reasoningPairs.flush()
	}
	reasoning, text := a.think.split(a.textPairs.join(chunk.Text))
	chunk.Reasoning, chunk.Text = chunk.Reasoning+reasoning, text
}

// flush adds the text that was held back.
func (a *answer) flush(chunk *chat.Chunk) {
	reasoning, text := a.think.split(a.textPairs.flush())
	lastReasoning, lastText := a.think.flush()
	chunk.Reasoning += a.reasoningPairs.flush() + reasoning + lastReasoning
	chunk.Text += text + lastText
	chunk.Calls = append(chunk.Calls, a.calls.flush()...)
}

// parseEvent decodes an event.
func (a *answer) parseEvent(data []byte) (chat.Chunk, error) {
	if a.events.wasError {
		return a.parseError(data)
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
	e, err := decode(data)
	if err != nil {
		if a.finished {
			return chat.Chunk{}, io.EOF
		}
		return chat.Chunk{}, err
	}
	if e.isErrorObject() || (e.isUnknown() && e.Message+e.Detail != "") {
		return a.parseError(data)
	}
	a.hasUnknown = a.hasUnknown || e.isUnknown()
	chunk, err := a.toChunk(&e)
	if err == nil && textOnly(chunk) && len(e.calls()) == 0 {
		a.pattern.learn(data, chunk.Text)
	}
	return chunk, err
}

// isFiller reports whether the data of an event is of those that servers and
// proxies send only to keep a connection open.
func isFiller(data []byte) bool {
	switch strings.ToLower(string(bytes.TrimLeft(data[:min(len(data), 16)], ": "))) {
	case "", "null", "[]", "{}", `""`, "ping", "keepalive", "keep-alive", "heartbeat":
		return true
	}
	return len(data) > 0 && data[0] == ':'
}

// parseError parses an event that is an error in any form.
func (a *answer) parseError(data []byte) (chat.Chunk, error) {
	e, err := decode(bytes.Trim(data, whiteSpace))
	if err != nil {
		return chat.Chunk{}, broken(errErrorEvent)
	}
	if e.Error.UpstreamError == nil {
		// The whole event is the error, or its member error has a value such as false.
		if err := e.Error.UnmarshalJSON(data); err != nil || e.Error.UpstreamError == nil {
			return chat.Chunk{}, broken(errErrorEvent)
		}
	}
	return a.toChunk(&e)
}

// done returns the error that ends an answer at [DONE]. Without a finish_reason the
// answer is complete unless there is a sign that something is missing.
func (a *answer) done() error {
	if !a.finished && (a.hasUnknown || a.events.hasForeignText || a.calls.areIncomplete()) {
		return broken(errUnfinished)
	}
	return io.EOF
}

// toChunk converts an event to a chunk. It passes on the first model, id and
// finish_reason of the answer only, and assigns pieces of tool calls to their calls.
func (a *answer) toChunk(e *event) (chat.Chunk, error) {
	chunk, err := e.chunk()
	if a.model != "" {
		chunk.Model = ""
	}
	if a.id != "" {
		chunk.UpstreamID = ""
	}
	a.model += chunk.Model
	a.id += chunk.UpstreamID
	if pieces := e.calls(); len(pieces) > 0 {
		var failed error
		if chunk.Calls, failed = a.calls.add(pieces); failed != nil && err == nil {
			chunk.FinishReason, err = "", failed
		}
	}
	if a.finished {
		chunk.FinishReason = ""
	}
	if chunk.FinishReason == chat.FinishStop && a.calls.emitted > 0 {
		// Some providers send stop after calls. OpenAI does if tool_choice names
		// the tool.
		chunk.FinishReason = chat.FinishToolCalls
	}
	a.finished = a.finished || chunk.FinishReason != ""
	return chunk, err
}

// textOnly reports whether a chunk has nothing except text.
func textOnly(chunk chat.Chunk) bool {
	return chunk.Reasoning == "" && chunk.Calls == nil && chunk.ReasoningDetails == nil && chunk.Annotations == nil &&
		chunk.FinishReason == "" && chunk.Usage == nil && chunk.Model == "" && chunk.UpstreamID == ""
}

// hasOutput reports whether a chunk has output of the model.
func hasOutput(chunk chat.Chunk) bool {
	return chunk.Text != "" || chunk.Reasoning != "" || chunk.Calls != nil || chunk.ReasoningDetails != nil
}

// hasContent reports whether a chunk has output, a finish reason or the usage.
func hasContent(chunk chat.Chunk) bool {
	return hasOutput(chunk) || chunk.FinishReason != "" || chunk.Usage != nil
}

func decode(data []byte) (event, error) {
	var e event
	if data[0] != '{' {
		return e, broken(errBadEvent)
	}
	if err := unmarshal(data, &e); err != nil {
		return e, broken(errBadEvent)
	}
	return e, nil
}

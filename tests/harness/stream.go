package harness

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

const endOfStream = "[DONE]"

// The first deltas of a stream are validated, and then a sample: they all come
// from one place in the server, and with the race detector the validation of
// each made tests with many streams take half as long again.
const (
	firstDeltas = 20
	deltaStep   = 100
)

// deltaMark is in every delta and in no other event: inside a text its
// quotation marks are escaped.
const deltaMark = `"assistant_message.content_part.text_delta"`

// protocolPath is the path of the ChatKit protocol.
const protocolPath = "/api/v1/chatkit"

// streamCheck checks a stream against the contract while it is read.
type streamCheck struct {
	io.ReadCloser

	v        *validator
	request  *http.Request
	response *http.Response
	pending  []byte
	ended    bool // [DONE] was received
	deltas   int  // how many were received
	// protocol is true for a stream of the ChatKit protocol, which has other
	// events and no [DONE].
	protocol bool
}

func newStreamCheck(v *validator, request *http.Request, response *http.Response) *streamCheck {
	return &streamCheck{
		ReadCloser: response.Body, v: v, request: request, response: response, protocol: request.URL.Path == protocolPath,
	}
}

// Read returns what the stream sends and checks each complete frame. A stream
// that ends without an error must end with [DONE].
func (c *streamCheck) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.pending = append(c.pending, p[:n]...)
	for {
		frame, rest, ok := bytes.Cut(c.pending, []byte("\n\n"))
		if !ok {
			break
		}
		c.pending = rest
		c.v.report(c.request, c.response, c.checkFrame(frame))
	}
	if errors.Is(err, io.EOF) {
		if len(c.pending) > 0 {
			c.v.t.Errorf("the stream ended in the middle of a frame: %q", c.pending)
		}
		if !c.ended && !c.protocol {
			c.v.t.Error("the stream ended in order, without [DONE]")
		}
	}
	return n, err // a reader's errors are passed on
}

// checkFrame checks a comment or an event of one line "data: ".
func (c *streamCheck) checkFrame(frame []byte) error {
	if c.ended {
		return fmt.Errorf("after [DONE] came %q", frame)
	}
	if bytes.HasPrefix(frame, []byte(":")) && !bytes.Contains(frame, []byte("\n")) {
		return nil
	}
	data, ok := bytes.CutPrefix(frame, []byte("data: "))
	if !ok || bytes.ContainsAny(data, "\r\n") {
		return fmt.Errorf("a frame is not one line of data: %q", frame)
	}
	if string(data) == endOfStream && !c.protocol {
		c.ended = true
		return nil
	}
	if !c.isValidated(data) {
		return nil
	}
	var event any
	if err := json.Unmarshal(data, &event); err != nil {
		return fmt.Errorf("an event is not JSON: %w: %s", err, data)
	}
	schema, name := c.v.contract.event, "ThreadStreamEvent"
	if c.protocol {
		schema, name = c.v.contract.protocolEvent, "ChatKitStreamEvent"
	}
	if err := schema.VisitJSON(event, c.v.contract.options...); err != nil {
		return fmt.Errorf("an event is not a %s: %w: %s", name, err, data)
	}
	return nil
}

// isValidated reports whether an event is validated: every event except most
// deltas.
func (c *streamCheck) isValidated(data []byte) bool {
	if !bytes.Contains(data, []byte(deltaMark)) {
		return true
	}
	c.deltas++
	return c.deltas <= firstDeltas || c.deltas%deltaStep == 0
}

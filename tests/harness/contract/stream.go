package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// EndOfStream is the data of the last event of a run's stream.
const EndOfStream = "[DONE]"

// The first firstDeltas deltas of a stream are validated, and then one in
// deltaStep. With the race detector the validation of all of them made tests with
// many streams take half as long again.
const (
	firstDeltas = 20
	deltaStep   = 100
)

// deltaMark is in every delta and in no other event, since quotation marks within
// a text are escaped.
const deltaMark = `"assistant_message.content_part.text_delta"`

// protocolPath is the path of the ChatKit protocol.
const protocolPath = "/api/v1/chatkit"

// streamValidator validates a stream while it is read.
type streamValidator struct {
	io.ReadCloser

	v        *validator
	request  *http.Request
	response *http.Response
	pending  []byte
	ended    bool // [DONE] was received
	deltas   int  // the number of received deltas
	seq      int  // the id of the last event
	// protocol is true for a stream of the ChatKit protocol, which has other
	// events and does not end with [DONE].
	protocol bool
}

func newStreamValidator(v *validator, request *http.Request, response *http.Response) *streamValidator {
	return &streamValidator{
		ReadCloser: response.Body, v: v, request: request, response: response, seq: lastReceived(request),
		protocol: request.URL.Path == protocolPath,
	}
}

// lastReceived returns the id after which a request asks for a stream to start.
func lastReceived(request *http.Request) int {
	text := request.Header.Get("Last-Event-ID")
	if text == "" {
		text = request.URL.Query().Get("after")
	}
	id, _ := strconv.Atoi(text) // 0 without a number
	return id
}

// Read reads the stream and checks each complete frame. A stream that ends without
// an error must end with [DONE].
func (c *streamValidator) Read(p []byte) (int, error) {
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
			c.v.t.Error("the stream ended without an error and without [DONE]")
		}
	}
	return n, err
}

// nextStart returns the start of the next event. The events of a run have
// consecutive ids.
func (c *streamValidator) nextStart() string {
	if c.protocol {
		return "data: "
	}
	return fmt.Sprintf("id: %d\ndata: ", c.seq+1)
}

// checkFrame checks a comment, or an event with one data line.
func (c *streamValidator) checkFrame(frame []byte) error {
	if c.ended {
		return fmt.Errorf("after [DONE] the stream has %q", frame)
	}
	if bytes.HasPrefix(frame, []byte(":")) && !bytes.Contains(frame, []byte("\n")) {
		return nil
	}
	if string(frame) == "data: "+EndOfStream && !c.protocol {
		c.ended = true
		return nil
	}
	data, ok := bytes.CutPrefix(frame, []byte(c.nextStart()))
	if !ok || bytes.ContainsAny(data, "\r\n") {
		return fmt.Errorf("a frame does not start with %q or is not one data line: %q", c.nextStart(), frame)
	}
	c.seq++
	if !c.isValidated(data) {
		return nil
	}
	var event any
	if err := json.Unmarshal(data, &event); err != nil {
		return fmt.Errorf("an event is not JSON: %w: %s", err, data)
	}
	schema, name := c.v.spec.event, "ThreadStreamEvent"
	if c.protocol {
		schema, name = c.v.spec.protocolEvent, "ChatKitStreamEvent"
	}
	if err := schema.VisitJSON(event, c.v.spec.options...); err != nil {
		return fmt.Errorf("an event is not a %s: %w: %s", name, err, data)
	}
	return nil
}

// isValidated reports whether an event is validated. Most deltas are not.
func (c *streamValidator) isValidated(data []byte) bool {
	if !bytes.Contains(data, []byte(deltaMark)) {
		return true
	}
	c.deltas++
	return c.deltas <= firstDeltas || c.deltas%deltaStep == 0
}

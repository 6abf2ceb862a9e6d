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

// streamCheck holds a stream against the contract while it is read.
type streamCheck struct {
	io.ReadCloser

	v        *validator
	request  *http.Request
	response *http.Response
	pending  []byte
	ended    bool // [DONE] has come
	// protocol says that it is the ChatKit protocol's, which has no [DONE].
	protocol bool
}

// protocolPath is the path of the ChatKit protocol's operation.
const protocolPath = "/api/v1/chatkit"

func newStreamCheck(v *validator, request *http.Request, response *http.Response) *streamCheck {
	return &streamCheck{ReadCloser: response.Body, v: v, request: request, response: response, protocol: request.URL.Path == protocolPath}
}

// Read passes on what comes and looks at each frame that it completes. A
// stream that ends in order must have ended with [DONE].
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

// checkFrame looks at a comment or an event: one line "data: ".
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
	if string(data) == endOfStream {
		c.ended = true
		return nil
	}
	var event any
	if err := json.Unmarshal(data, &event); err != nil {
		return fmt.Errorf("an event is not JSON: %w: %s", err, data)
	}
	schema := c.v.contract.event
	if c.protocol {
		schema = c.v.contract.protocolEvent
	}
	if err := schema.VisitJSON(event, c.v.contract.options...); err != nil {
		return fmt.Errorf("an event is not a ThreadStreamEvent: %w: %s", err, data)
	}
	return nil
}

// Package sse writes server-sent events (WHATWG HTML, section 9.2). It flushes them
// when asked to, and detects a client that has stopped reading.
package sse

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/deadline"
)

// KeepAlive is the time without data after which a comment is sent, so that no proxy
// closes the connection. The API documents a comment every 15 s.
const KeepAlive = 10 * time.Second

// Writer encodes events in a buffer. Flush sends the buffer in one write. A Writer is
// not safe for concurrent use.
type Writer struct {
	to      *deadline.Writer
	timeout time.Duration
	buffer  bytes.Buffer
}

// NewWriter returns a writer. Flush needs Open first. A write fails if it makes no
// progress for the timeout, or for an eighth less.
func NewWriter(timeout time.Duration) *Writer { return &Writer{timeout: timeout} }

// Open writes the status 200 and the headers of an event stream.
func (s *Writer) Open(w http.ResponseWriter) {
	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-cache")
	header.Set("X-Accel-Buffering", "no") // turns off the buffering of nginx
	header.Del("Content-Length")
	s.to = deadline.NewWriter(w, s.timeout)
	w.WriteHeader(http.StatusOK)
}

// Buffer returns the buffer, to which the data of an event is written between Begin
// and End. The data must not contain a line break.
func (s *Writer) Buffer() *bytes.Buffer { return &s.buffer }

// ID gives the next event an id. A client that reconnects sends it in the header
// Last-Event-ID.
func (s *Writer) ID(id int) {
	s.buffer.WriteString("id: ")
	s.buffer.Write(strconv.AppendInt(s.buffer.AvailableBuffer(), int64(id), 10))
	s.buffer.WriteByte('\n')
}

// Begin starts an event.
func (s *Writer) Begin() { s.buffer.WriteString("data: ") }

// End ends the event that Begin started.
func (s *Writer) End() { s.buffer.WriteString("\n\n") }

// Data adds an event with the data, which must not contain a line break.
func (s *Writer) Data(data string) {
	s.Begin()
	s.buffer.WriteString(data)
	s.End()
}

// Comment adds a comment, which clients ignore.
func (s *Writer) Comment(text string) {
	s.buffer.WriteString(": ")
	s.buffer.WriteString(text)
	s.buffer.WriteString("\n\n")
}

// Buffered returns the number of bytes that Flush would send.
func (s *Writer) Buffered() int { return s.buffer.Len() }

// Flush sends the buffer. It fails if the client has disconnected, or has read
// nothing for the timeout.
func (s *Writer) Flush() error {
	if s.buffer.Len() == 0 {
		return nil
	}
	if _, err := s.to.Write(s.buffer.Bytes()); err != nil {
		return fmt.Errorf("write events: %w", err)
	}
	s.release()
	if err := s.to.Flush(); err != nil {
		return fmt.Errorf("flush events: %w", err)
	}
	return nil
}

// release empties the buffer. It replaces a buffer that is much larger than the last
// data, since a server has thousands of idle streams.
func (s *Writer) release() {
	const small = 1 << 10
	if size := s.buffer.Cap(); size > small && s.buffer.Len() < size/4 {
		s.buffer = bytes.Buffer{}
		return
	}
	s.buffer.Reset()
}

// Package sse writes Server-Sent Events (WHATWG HTML, section 9.2) so that
// each leaves as it is produced and a reader that has stopped reading is
// noticed.
package sse

import (
	"bytes"
	"fmt"
	"net/http"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/deadline"
)

// KeepAlive is how long a stream is quiet before a comment is sent, so that no
// proxy on the way takes it for dead. The API promises one every 15 s.
const KeepAlive = 10 * time.Second

// Writer frames events. Events gather until Flush sends them in one write. It
// is used by one goroutine.
type Writer struct {
	to      *deadline.Writer
	timeout time.Duration
	buffer  bytes.Buffer
}

// NewWriter returns a writer that gathers; it sends once it is open. A write
// that makes no progress for timeout, or an eighth less, fails.
func NewWriter(timeout time.Duration) *Writer { return &Writer{timeout: timeout} }

// Open answers 200 with the headers of an event stream.
func (s *Writer) Open(w http.ResponseWriter) {
	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-cache")
	header.Set("X-Accel-Buffering", "no") // nginx: pass on what comes at once
	header.Del("Content-Length")
	s.to = deadline.NewWriter(w, s.timeout)
	w.WriteHeader(http.StatusOK)
}

// Buffer is where the data of the next event is written, between Begin and
// End. The data must hold no line break.
func (s *Writer) Buffer() *bytes.Buffer { return &s.buffer }

// Begin starts an event.
func (s *Writer) Begin() { s.buffer.WriteString("data: ") }

// End ends the event that Begin started.
func (s *Writer) End() { s.buffer.WriteString("\n\n") }

// Data adds an event of the given data, which must hold no line break.
func (s *Writer) Data(data string) {
	s.Begin()
	s.buffer.WriteString(data)
	s.End()
}

// Comment adds a line that readers ignore.
func (s *Writer) Comment(text string) {
	s.buffer.WriteString(": ")
	s.buffer.WriteString(text)
	s.buffer.WriteString("\n\n")
}

// Buffered is the number of bytes that Flush would send.
func (s *Writer) Buffered() int { return s.buffer.Len() }

// Flush sends what has gathered. It fails when the reader has gone or has
// taken nothing for the writer's time-out.
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

// release empties the buffer, and gives it up if the stream needs far less of
// it now than it once did: a server has thousands of streams that wait.
func (s *Writer) release() {
	const small = 1 << 10
	if size := s.buffer.Cap(); size > small && s.buffer.Len() < size/4 {
		s.buffer = bytes.Buffer{}
		return
	}
	s.buffer.Reset()
}

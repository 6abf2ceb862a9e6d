// Package deadline writes answers and reads bodies of any length with a deadline on
// each step. A slow client is served as long as it makes progress; a client that
// makes none for the timeout is disconnected.
package deadline

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// maxWrite is the number of bytes that are written under one deadline. A client that
// accepts them in time is served, however long the answer is.
const maxWrite = 32 << 10

// Writer writes an answer. A write that makes no progress for the timeout, or for an
// eighth less, fails. A Writer must be used by one goroutine only.
type Writer struct {
	w       http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration
	// extended is when the write deadline was last extended.
	extended time.Time
}

// NewWriter returns a writer of the answer. It removes the request's read deadline,
// which would end the answer.
func NewWriter(w http.ResponseWriter, timeout time.Duration) *Writer {
	control := http.NewResponseController(w)
	// A writer without deadlines (a test's recorder) has none to remove.
	_ = control.SetReadDeadline(time.Time{})
	return &Writer{w: w, control: control, timeout: timeout}
}

// Write implements [io.Writer].
func (w *Writer) Write(data []byte) (int, error) {
	written := 0
	for piece := range slices.Chunk(data, maxWrite) {
		if err := w.extend(); err != nil {
			return written, err
		}
		n, err := w.w.Write(piece)
		written += n
		if err != nil {
			return written, fmt.Errorf("write the answer: %w", err)
		}
	}
	return written, nil
}

// Flush sends what has been written.
func (w *Writer) Flush() error {
	if err := w.control.Flush(); err != nil {
		return fmt.Errorf("flush the answer: %w", err)
	}
	return nil
}

// extend extends the write deadline, but not at each write of a fast stream, since
// that costs about as much as the write.
func (w *Writer) extend() error {
	now := time.Now()
	if now.Sub(w.extended) < w.timeout/8 {
		return nil
	}
	w.extended = now
	err := w.control.SetWriteDeadline(now.Add(w.timeout))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("set write deadline: %w", err)
	}
	return nil
}

// Package deadline lets an answer of any length be written as long as its
// reader takes it: a reader that is slow is not gone.
package deadline

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// maxWrite is how many bytes are written under one deadline: a reader that
// takes them in time is slow, not gone, however long the answer is.
const maxWrite = 32 << 10

// Writer writes an answer. A write that makes no progress for the time-out, or
// an eighth less, fails. It is used by one goroutine.
type Writer struct {
	w       http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration
	// lifted is when the write deadline was last moved.
	lifted time.Time
}

// NewWriter returns a writer of the answer. The request's read deadline is
// lifted: it would end the answer.
func NewWriter(w http.ResponseWriter, timeout time.Duration) *Writer {
	control := http.NewResponseController(w)
	// A writer without deadlines (a test's recorder) needs none lifted.
	_ = control.SetReadDeadline(time.Time{})
	return &Writer{w: w, control: control, timeout: timeout}
}

// Write implements [io.Writer].
func (w *Writer) Write(data []byte) (int, error) {
	written := 0
	for piece := range slices.Chunk(data, maxWrite) {
		if err := w.lift(); err != nil {
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

// Flush sends what is written.
func (w *Writer) Flush() error {
	if err := w.control.Flush(); err != nil {
		return fmt.Errorf("flush the answer: %w", err)
	}
	return nil
}

// lift moves the write deadline on, though not with each write of a fast
// stream: that costs about as much as the write.
func (w *Writer) lift() error {
	now := time.Now()
	if now.Sub(w.lifted) < w.timeout/8 {
		return nil
	}
	w.lifted = now
	err := w.control.SetWriteDeadline(now.Add(w.timeout))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("set write deadline: %w", err)
	}
	return nil
}

package deadline

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Reader reads a request's body as long as its client sends data. A Reader must be
// used by one goroutine only.
type Reader struct {
	body    io.ReadCloser
	control *http.ResponseController
	// idle is how long the client may send no data.
	idle time.Duration
	// end is when the whole body must have arrived.
	end time.Time
	// set is when the read deadline was last set.
	set time.Time
}

// NewReader returns a reader of a request's body. A read fails if no data arrives
// for the idle timeout, or for an eighth less, and if the total timeout has passed.
func NewReader(w http.ResponseWriter, body io.ReadCloser, idle, total time.Duration) *Reader {
	return &Reader{body: body, control: http.NewResponseController(w), idle: idle, end: time.Now().Add(total)}
}

// Read implements [io.Reader].
func (r *Reader) Read(p []byte) (int, error) {
	if err := r.setDeadline(); err != nil {
		return 0, err
	}
	return r.body.Read(p) //nolint:wrapcheck // The caller compares it with io.EOF.
}

// Close implements [io.Closer].
func (r *Reader) Close() error { return r.body.Close() } //nolint:wrapcheck // It is the error of the body.

// setDeadline extends the read deadline, but not at each read, since that costs
// about as much as the read.
func (r *Reader) setDeadline() error {
	now := time.Now()
	if now.Sub(r.set) < r.idle/8 {
		return nil
	}
	r.set = now
	until := now.Add(r.idle)
	if until.After(r.end) {
		until = r.end
	}
	// A writer without deadlines (a test's recorder) needs none.
	if err := r.control.SetReadDeadline(until); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("set read deadline: %w", err)
	}
	return nil
}

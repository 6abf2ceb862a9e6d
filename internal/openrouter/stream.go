package openrouter

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

var errClosed = errors.New("openrouter: the stream was closed")

// stream is an answer that is read from an HTTP response.
type stream struct {
	answer *answer
	body   *timedBody
	cancel context.CancelCauseFunc
	closed bool
}

// newStream returns a stream of body. The timer firstByte runs until the first byte
// of body. The function cancel ends the request, and convert converts read errors.
func newStream(
	body io.ReadCloser, firstByte *time.Timer, idle time.Duration,
	cancel context.CancelCauseFunc, convert func(error) error,
) *stream {
	timed := &timedBody{body: body, firstByte: firstByte, limit: idle, convert: convert}
	timed.idle = time.AfterFunc(idle, func() { cancel(errIdle) })
	timed.idle.Stop()
	return &stream{answer: newAnswer(timed), body: timed, cancel: cancel}
}

// Next implements [chat.ModelStream].
func (s *stream) Next(chunk *chat.Chunk) error {
	if s.closed {
		return errClosed
	}
	return s.answer.next(chunk)
}

// Close implements [chat.ModelStream].
func (s *stream) Close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	s.body.stop()
	if errors.Is(s.answer.ended, io.EOF) {
		discard(s.body.body)
	}
	s.cancel(nil)
	_ = s.body.body.Close() // the response is not needed any more
	return nil
}

// timedBody cancels a request whose response has no data for too long. Only the time
// in Read counts, so that a slow consumer does not cause a timeout.
type timedBody struct {
	body io.ReadCloser
	// firstByte runs until the first byte, and is nil after it.
	firstByte *time.Timer
	// idle runs during each later read and expires after limit.
	idle    *time.Timer
	limit   time.Duration
	convert func(error) error
}

// Read returns io.EOF at the end of the body. It converts other errors.
func (b *timedBody) Read(p []byte) (int, error) {
	if b.firstByte == nil {
		b.idle.Reset(b.limit)
	}
	n, err := b.body.Read(p)
	if b.firstByte == nil {
		b.idle.Stop()
	} else if n > 0 {
		b.firstByte.Stop()
		b.firstByte = nil
	}
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return n, err
	case isUpstreamError(err):
		return n, b.convert(err)
	case b.firstByte != nil:
		return n, b.convert(unreachable(err))
	default:
		return n, b.convert(broken(errCut))
	}
}

func (b *timedBody) stop() {
	b.idle.Stop()
	if b.firstByte != nil {
		b.firstByte.Stop()
	}
}

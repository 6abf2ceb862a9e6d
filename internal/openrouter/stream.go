package openrouter

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

var errClosed = errors.New("openrouter: the stream was closed")

// stream is an answer over HTTP.
type stream struct {
	answer *answer
	body   *watchedBody
	cancel context.CancelCauseFunc
	closed bool
}

// newStream reads body. The timer patience runs until its first byte; cancel
// ends the connection; why says what a read error is told as.
func newStream(
	body io.ReadCloser, patience *time.Timer, idle time.Duration,
	cancel context.CancelCauseFunc, why func(error) error,
) *stream {
	watched := &watchedBody{body: body, patience: patience, limit: idle, why: why}
	watched.idle = time.AfterFunc(idle, func() { cancel(errIdle) })
	watched.idle.Stop()
	return &stream{answer: newAnswer(watched), body: watched, cancel: cancel}
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
	_ = s.body.body.Close() // the connection ends either way
	return nil
}

// watchedBody ends a call that is silent for too long. Only the time in Read
// counts, so a slow reader is no silence.
type watchedBody struct {
	body io.ReadCloser
	// patience runs until the first byte; nil after it.
	patience *time.Timer
	// idle runs during each later read, for at most limit.
	idle  *time.Timer
	limit time.Duration
	why   func(error) error
}

// Read returns io.EOF at the body's end, and errors in our words else.
func (b *watchedBody) Read(p []byte) (int, error) {
	if b.patience == nil {
		b.idle.Reset(b.limit)
	}
	n, err := b.body.Read(p)
	if b.patience == nil {
		b.idle.Stop()
	} else if n > 0 {
		b.patience.Stop()
		b.patience = nil
	}
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return n, err
	case isUpstreamError(err):
		return n, b.why(err)
	case b.patience != nil:
		return n, b.why(unreachable(err))
	default:
		return n, b.why(broken(errCut))
	}
}

func (b *watchedBody) stop() {
	b.idle.Stop()
	if b.patience != nil {
		b.patience.Stop()
	}
}

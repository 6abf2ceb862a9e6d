// Package stream follows a run and writes its events to a client, as the
// server-sent events that openapi.yaml documents. The API adapters share it.
package stream

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/runs"
	"github.com/chatkit-rest/chatkit-rest/internal/header"
	"github.com/chatkit-rest/chatkit-rest/internal/sse"
)

const (
	// maxBatch is how many bytes of events gather before they are sent; it
	// bounds what a stream holds for a reader that is behind.
	maxBatch = 32 << 10
	// gatherTime is how long a text delta may wait for the next ones. It counts
	// from the last write of a delta, so only deltas that come faster wait.
	gatherTime = 5 * time.Millisecond
)

// ErrDisconnected says that the client closed its connection, or read nothing
// for the write time-out.
var ErrDisconnected = errors.New("the client disconnected")

// Options are an adapter's settings of its streams. All but End are required.
type Options struct {
	// WriteTimeout is how long a client may read nothing of its stream before
	// it counts as disconnected.
	WriteTimeout time.Duration
	// KeepAlive is how long a stream may be quiet before a comment is sent.
	KeepAlive time.Duration
	// Failed returns the event of a failure, to be encoded as JSON.
	Failed func(chat.Failed) any
	// Preview makes the previews of the user's images.
	Preview Preview
	// ImageDomains are sent with the thread; none: not sent.
	ImageDomains []string
	// End is the data of the last line; empty is none.
	End string
}

// Stream follows a run to its end.
type Stream struct {
	done      <-chan struct{}
	run       *runs.ActiveRun
	follower  chat.Follower
	out       *sse.Writer
	encoder   *encoder
	keepAlive time.Duration
	end       string
	// lastDelta is when a delta was last written.
	lastDelta time.Time
}

// New encodes the events in first, and the run's events so far, while upstream
// still works on its answer. The request ends when done is closed.
func New(o Options, run *runs.ActiveRun, done <-chan struct{}, first ...any) (*Stream, error) {
	out := sse.NewWriter(o.WriteTimeout)
	s := &Stream{
		done: done, run: run, follower: run.Follow(0), out: out, encoder: newEncoder(out, o), keepAlive: o.KeepAlive,
		end: o.End,
	}
	if err := Write(out, first...); err != nil {
		s.Close()
		return nil, err
	}
	events, _ := s.follower.Poll()
	for _, event := range events {
		if err := s.encoder.encode(event); err != nil {
			s.Close()
			return nil, err
		}
	}
	return s, nil
}

// Close ends the following of a stream that is not served.
func (s *Stream) Close() { s.follower.Close() }

// Serve answers with the stream. It returns nil at the end of the run, and
// before that ErrDisconnected or the error of an event that cannot be encoded.
func (s *Stream) Serve(w http.ResponseWriter) error {
	w.Header().Set(header.RunID, s.run.ID.String())
	s.out.Open(w)
	err := s.relay()
	if err != nil && !errors.Is(err, ErrDisconnected) {
		s.reportFault()
	}
	return err
}

// reportFault tells the client of a fault in this server.
func (s *Stream) reportFault() {
	err := s.encoder.encode(chat.Failed{Message: "The answer could not be sent; try again.", AllowRetry: true})
	if err == nil {
		_ = s.out.Flush() // The stream ends in any case.
	}
}

// CancelRun cancels a run after its only stream has ended with err, Serve's
// error. A run whose stream ended with it is over already.
func CancelRun(run *runs.ActiveRun, err error) {
	switch {
	case err == nil:
	case errors.Is(err, ErrDisconnected):
		run.Cancel(chat.FailureClientLeft)
	default:
		run.Fail(err)
	}
}

// relay writes the run's events as they come. A live stream waits here, so what
// would make this stack frame larger is in the functions it calls.
func (s *Stream) relay() error {
	defer s.follower.Close()
	timer := time.NewTimer(s.keepAlive)
	defer timer.Stop()
	for {
		ended, err := s.writeNew()
		if err != nil || ended {
			return err
		}
		gathering := s.out.Buffered() > 0
		if gathering {
			timer.Reset(gatherTime - time.Since(s.lastDelta))
		} else {
			timer.Reset(s.keepAlive)
		}
		select {
		case <-s.follower.Ready():
		case <-timer.C:
			if !gathering {
				s.out.Comment("keep-alive")
			}
		case <-s.done:
			return ErrDisconnected
		}
	}
}

// writeNew writes the events since the last call, and reports whether they were
// the last. Deltas stay in the buffer while they may wait for more.
func (s *Stream) writeNew() (ended bool, err error) {
	events, ended := s.follower.Poll()
	urgent := ended
	for _, event := range events {
		if _, isDelta := event.(*chat.TextDelta); !isDelta {
			urgent = true
		}
		if err := s.encoder.encode(event); err != nil {
			return false, err
		}
		if s.out.Buffered() > maxBatch {
			urgent = true
			if err := s.flush(); err != nil {
				return false, err
			}
		}
	}
	if ended && s.end != "" {
		s.out.Data(s.end)
	}
	if s.out.Buffered() == 0 {
		return ended, nil
	}
	now := time.Now()
	if !urgent && now.Sub(s.lastDelta) < gatherTime {
		return false, nil
	}
	if !urgent {
		s.lastDelta = now
	}
	return ended, s.flush()
}

func (s *Stream) flush() error {
	if err := s.out.Flush(); err != nil {
		return fmt.Errorf("%w: %w", ErrDisconnected, err)
	}
	return nil
}

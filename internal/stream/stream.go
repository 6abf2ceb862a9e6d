// Package stream follows a run and writes its events to a client, as the
// server-sent events that openapi.yaml documents. The API adapters share it.
package stream

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/header"
	"github.com/chatkit-rest/chatkit-rest/internal/sse"
)

const (
	// maxBatch is the size of the buffer at which it is flushed. It bounds the memory
	// of a stream whose client reads slowly.
	maxBatch = 32 << 10
	// gatherTime is the minimum time between two writes of deltas: deltas that
	// arrive faster are sent together.
	gatherTime = 5 * time.Millisecond
)

// ErrDisconnected is returned if the client closed its connection, or read nothing for
// the write timeout.
var ErrDisconnected = errors.New("the client disconnected")

// Options are the options of a stream. The first four are required.
type Options struct {
	// WriteTimeout is the time without reading after which a client counts as
	// disconnected.
	WriteTimeout time.Duration
	// KeepAlive is the time without data after which a comment is sent.
	KeepAlive time.Duration
	// Failed returns the event of a failure, which is encoded as JSON.
	Failed func(chat.Failed) any
	// Preview returns the previews of the user's images.
	Preview Preview
	// ImageDomains are sent with the thread unless empty.
	ImageDomains []string
	// Numbered sends the events of the run with their sequence numbers as ids.
	Numbered bool
	// End is the data of the last event; empty sends no such event.
	End string
}

// Stream follows a run to its end.
type Stream struct {
	done      <-chan struct{}
	run       uuid.UUID
	follower  chat.Follower
	out       *sse.Writer
	encoder   *encoder
	keepAlive time.Duration
	end       string
	numbered  bool
	// seq is the sequence number of the last event that was encoded.
	seq int
	// lastDelta is the time of the last write of deltas.
	lastDelta time.Time
}

// New returns a stream of what a follower of a run reads. It encodes the events in
// first and the run's events so far, while the model prepares its answer. The channel
// done is closed when the client disconnects. The stream closes the follower.
func New(o Options, run uuid.UUID, follower chat.Follower, done <-chan struct{}, first ...any) (*Stream, error) {
	out := sse.NewWriter(o.WriteTimeout)
	s := &Stream{
		done: done, run: run, follower: follower, out: out, encoder: newEncoder(out, o), keepAlive: o.KeepAlive,
		end: o.End, numbered: o.Numbered, seq: follower.Seq(),
	}
	if err := Write(out, first...); err != nil {
		s.Close()
		return nil, err
	}
	events, _ := s.follower.Poll()
	for _, event := range events {
		if err := s.encode(event); err != nil {
			s.Close()
			return nil, err
		}
	}
	return s, nil
}

// encode adds the run's next event to the buffer, or nothing if it cannot be encoded.
func (s *Stream) encode(event chat.Event) error {
	before := s.out.Buffered()
	s.seq++
	if s.numbered {
		s.out.ID(s.seq)
	}
	err := s.encoder.encode(event)
	if err != nil {
		s.out.Buffer().Truncate(before)
	}
	return err
}

// Close closes a stream that is not served.
func (s *Stream) Close() { s.follower.Close() }

// Serve writes the stream. It returns nil at the end of the run, ErrDisconnected if the
// client disconnects before, the error of an event that cannot be encoded, or that of a
// log that was lost.
func (s *Stream) Serve(w http.ResponseWriter) error {
	w.Header().Set(header.RunID, s.run.String())
	s.out.Open(w)
	if s.out.Buffered() == 0 {
		s.out.Comment("keep-alive") // The client gets the headers before the first event.
	}
	err := s.relay()
	if err != nil && !errors.Is(err, ErrDisconnected) {
		s.reportError()
	}
	return err
}

// reportError sends the client an error event for an error of this server.
func (s *Stream) reportError() {
	err := s.encoder.encode(chat.Failed{Message: "The answer could not be sent; try again.", AllowRetry: true})
	if err == nil {
		_ = s.out.Flush() // The stream ends in any case.
	}
}

// relay writes the run's events as they arrive. Live streams wait in this function, so
// its stack frame is kept small.
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

// writeNew writes the events since the last call and reports whether the run has ended.
// It leaves deltas in the buffer for up to gatherTime.
func (s *Stream) writeNew() (ended bool, err error) {
	events, ended := s.follower.Poll()
	urgent := ended
	for _, event := range events {
		if _, isDelta := event.(*chat.TextDelta); !isDelta {
			urgent = true
		}
		if err := s.encode(event); err != nil {
			return false, err
		}
		if s.out.Buffered() > maxBatch {
			urgent = true
			if err := s.flush(); err != nil {
				return false, err
			}
		}
	}
	if ended {
		if err := s.follower.Err(); err != nil {
			return false, err
		}
		if s.end != "" {
			s.out.Data(s.end)
		}
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

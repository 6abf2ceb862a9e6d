// Package stream follows a run and writes what it says to a client, as the
// server-sent events that openapi.yaml documents. It is what the two doors
// have in common.
package stream

import (
	"context"
	"net/http"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/sse"
)

const (
	runIDHeader = "X-Run-Id"
	// maxBatch is how many bytes of events gather before they are sent; it
	// bounds what a stream holds for a reader that is behind.
	maxBatch = 32 << 10
)

// Options are how a door streams. All but End are required.
type Options struct {
	// WriteTimeout is how long a client may take nothing of its stream before
	// it is taken for gone.
	WriteTimeout time.Duration
	// KeepAlive is how long a stream may be quiet before a comment is sent.
	KeepAlive time.Duration
	// Failed is the event that tells of a failure, to be encoded as JSON.
	Failed func(chat.Failed) any
	// Preview makes the previews of the user's images.
	Preview Preview
	// End is the data of the last line; empty is none.
	End string
}

// Stream follows a run to its end. It is the run's only follower, so the run
// is cancelled when the client goes away.
type Stream struct {
	done      <-chan struct{}
	run       *chat.ActiveRun
	follower  *chat.Follower
	out       *sse.Writer
	encoder   *encoder
	keepAlive time.Duration
	end       string
}

// New encodes what the run has said already, while upstream is still at work
// on its answer, after the events in first. The request ends with done.
func New(o Options, run *chat.ActiveRun, done <-chan struct{}, first ...any) (*Stream, error) {
	out := sse.NewWriter(o.WriteTimeout)
	s := &Stream{
		done: done, run: run, follower: run.Follow(0), out: out, encoder: newEncoder(out, o.Failed, o.Preview), keepAlive: o.KeepAlive,
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

// Serve answers with the stream. It returns when the run has ended or the
// client has gone; then the run is cancelled.
func (s *Stream) Serve(w http.ResponseWriter) {
	w.Header().Set(runIDHeader, s.run.ID.String())
	s.out.Open(w)
	if err := s.relay(); err != nil {
		s.run.Cancel(chat.FailureClientLeft)
	}
}

// relay writes the run's events as they come. It returns an error when the
// client has gone. A live stream waits here: what would make this frame larger
// is in the functions it calls.
func (s *Stream) relay() error {
	defer s.follower.Close()
	quiet := time.NewTimer(s.keepAlive)
	defer quiet.Stop()
	for {
		ended, err := s.passOn()
		if err != nil || ended {
			return err
		}
		quiet.Reset(s.keepAlive)
		select {
		case <-s.follower.Ready():
		case <-quiet.C:
			s.out.Comment("keep-alive")
		case <-s.done:
			return context.Canceled
		}
	}
}

// passOn writes and sends the events that have come since the last call, and
// says whether they were the last.
func (s *Stream) passOn() (ended bool, err error) {
	events, ended := s.follower.Poll()
	for _, event := range events {
		if err := s.encoder.encode(event); err != nil {
			return false, err
		}
		if s.out.Buffered() > maxBatch {
			if err := s.out.Flush(); err != nil {
				return false, err
			}
		}
	}
	if ended && s.end != "" {
		s.out.Data(s.end)
	}
	return ended, s.out.Flush()
}

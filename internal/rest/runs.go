package rest

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/sse"
)

const (
	runIDHeader = "X-Run-Id"
	// endOfStream is the last data line of a stream, as the OpenAI API ends
	// its own.
	endOfStream = "[DONE]"
	// maxBatch is how many bytes of events gather before they are sent; it
	// bounds what a stream holds for a reader that is behind.
	maxBatch = 32 << 10
	// refusalTimeout is how long the writing of a refusal may take.
	refusalTimeout = 30 * time.Second
)

// CreateRun saves the user's message and streams the answer to it. Until
// upstream has begun to answer the status is open: a refusal is a failure of
// the request, not an event.
func (h *Handler) CreateRun(
	ctx context.Context, request api.CreateRunRequestObject,
) (api.CreateRunResponseObject, error) {
	run, err := h.Service.StartRun(ctx, chat.RunRequest{
		UserID: userID(ctx), SessionID: request.SessionID, ThreadID: request.ThreadID,
		Content: fromAPIContent(request.Body.Message.Content),
	})
	if err != nil {
		return nil, err
	}
	stream, err := h.newRunStream(run, ctx.Done())
	if err != nil {
		run.Cancel(chat.FailureInternal)
		return nil, err
	}
	if err := run.Opened(ctx); err != nil {
		stream.follower.Close()
		if errors.Is(err, context.Canceled) {
			run.Cancel(chat.FailureClientLeft)
		}
		return refusedRun{run.ID, FailureOf(err)}, nil
	}
	return stream, nil
}

// refusedRun answers for a run that upstream did not begin to answer.
type refusedRun struct {
	id      uuid.UUID
	failure Failure
}

func (r refusedRun) VisitCreateRunResponse(w http.ResponseWriter) error {
	w.Header().Set(runIDHeader, r.id.String())
	// The wait for upstream may have used up the server's own time. A writer
	// without deadlines (a test's recorder) needs none.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(refusalTimeout))
	WriteFailure(w, r.failure)
	return nil
}

// runStream follows a run to its end. It is the run's only follower, so the
// run is cancelled when the client goes away.
type runStream struct {
	done      <-chan struct{}
	run       *chat.ActiveRun
	follower  *chat.Follower
	out       *sse.Writer
	encoder   *eventEncoder
	keepAlive time.Duration
}

// newRunStream encodes what the run has said already, while upstream is still
// at work on its answer.
func (h *Handler) newRunStream(run *chat.ActiveRun, done <-chan struct{}) (*runStream, error) {
	out := sse.NewWriter(h.WriteTimeout)
	s := &runStream{
		done: done, run: run, follower: run.Follow(0), out: out, encoder: newEventEncoder(out), keepAlive: h.KeepAlive,
	}
	events, _ := s.follower.Poll()
	for _, event := range events {
		if err := s.encoder.encode(event); err != nil {
			s.follower.Close()
			return nil, err
		}
	}
	return s, nil
}

func (s *runStream) VisitCreateRunResponse(w http.ResponseWriter) error {
	w.Header().Set(runIDHeader, s.run.ID.String())
	s.out.Open(w)
	if err := s.relay(); err != nil {
		s.run.Cancel(chat.FailureClientLeft)
	}
	return nil // The status is sent; whoever would read of a failure has gone.
}

// relay writes the run's events as they come. It returns an error when the
// client has gone. A live stream waits here: what would make this frame larger
// is in the functions it calls.
func (s *runStream) relay() error {
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
func (s *runStream) passOn() (ended bool, err error) {
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
	if ended {
		s.out.Data(endOfStream)
	}
	return ended, s.out.Flush()
}

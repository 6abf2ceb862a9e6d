package rest

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/auth"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/runs"
	"github.com/chatkit-rest/chatkit-rest/internal/header"
	"github.com/chatkit-rest/chatkit-rest/internal/locale"
	"github.com/chatkit-rest/chatkit-rest/internal/problem"
	"github.com/chatkit-rest/chatkit-rest/internal/stream"
)

const (
	// endOfStream is the last data line of a stream, as the OpenAI API ends
	// its own.
	endOfStream = "[DONE]"
	// refusalTimeout bounds the writing of a refusal.
	refusalTimeout = 30 * time.Second
)

// CreateRun stores the user's message and streams the answer to it. No status is
// sent before upstream begins to answer, so a refusal of upstream is a failed
// request, not an event. The run goes on when the client disconnects.
func (h *Handler) CreateRun(
	ctx context.Context, request api.CreateRunRequestObject,
) (api.CreateRunResponseObject, error) {
	message := runs.RunRequest{
		UserID: auth.UserID(ctx), SessionID: request.SessionID, ThreadID: request.ThreadID,
		Content: fromAPIContent(request.Body.Message.Content), Inference: fromAPIModel(request.Body.Model),
		Locale: locale.FromContext(ctx),
	}
	if request.Body.Message.Attachments != nil {
		message.Attachments = *request.Body.Message.Attachments
	}
	run, err := h.Service.StartRun(ctx, message)
	if err != nil {
		return nil, err
	}
	events, err := h.newStream(ctx, run.ID, run.Follow(0))
	if err != nil {
		return nil, err
	}
	if err := run.Opened(ctx); err != nil {
		events.Close()
		return refusedRun{run.ID, problem.FromError(err)}, nil
	}
	return runStream{events}, nil
}

// runStream streams a run's events to one of its followers. The run goes on when
// the client disconnects.
type runStream struct{ events *stream.Stream }

func (s runStream) VisitCreateRunResponse(w http.ResponseWriter) error { return s.serve(w) }

func (s runStream) VisitFollowRunResponse(w http.ResponseWriter) error { return s.serve(w) }

func (s runStream) serve(w http.ResponseWriter) error {
	if err := s.events.Serve(w); !errors.Is(err, stream.ErrDisconnected) {
		return err
	}
	return nil
}

// newStream returns a stream of what the caller's follower of a run reads.
func (h *Handler) newStream(ctx context.Context, run uuid.UUID, follower chat.Follower) (*stream.Stream, error) {
	return stream.New(stream.Options{
		WriteTimeout: h.WriteTimeout, KeepAlive: h.KeepAlive, Failed: toAPIError, Numbered: true, End: endOfStream,
		Preview: h.AttachmentURLs.Preview(auth.UserID(ctx)),
	}, run, follower, ctx.Done())
}

// toAPIError converts a failure after the first byte.
func toAPIError(failed chat.Failed) any {
	return api.ErrorEvent{
		Type: api.ErrorEventTypeError, Code: api.ErrorEventCodeStreamError,
		Message: failed.Message, AllowRetry: failed.AllowRetry,
	}
}

// refusedRun answers for a run that upstream did not begin to answer.
type refusedRun struct {
	id      uuid.UUID
	problem problem.Problem
}

func (r refusedRun) VisitCreateRunResponse(w http.ResponseWriter) error {
	w.Header().Set(header.RunID, r.id.String())
	// The wait for upstream may have used up the server's write time-out. A
	// writer without deadlines (a test's recorder) needs none.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(refusalTimeout))
	r.problem.Write(w)
	return nil
}

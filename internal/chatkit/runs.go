package chatkit

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/auth"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/runs"
	"github.com/chatkit-rest/chatkit-rest/internal/locale"
	"github.com/chatkit-rest/chatkit-rest/internal/sse"
	"github.com/chatkit-rest/chatkit-rest/internal/stream"
)

func (h *Handler) createThread(ctx context.Context, req api.ThreadsCreateReq) (api.ProcessChatKitResponseObject, error) {
	start, err := fromAPIInput(ctx, req.Params.Input, req.Metadata)
	if err != nil {
		return nil, err
	}
	run, session, err := h.Service.StartThread(ctx, start)
	if err != nil {
		return nil, err
	}
	return h.follow(ctx, run, stream.ThreadEvent{
		Type: string(api.ThreadCreatedEventTypeThreadCreated), Thread: stream.ToAPIThread(session, stream.ItemPage{}, h.ImageDomains),
	})
}

func (h *Handler) addUserMessage(
	ctx context.Context, req api.ThreadsAddUserMessageReq,
) (api.ProcessChatKitResponseObject, error) {
	start, err := fromAPIInput(ctx, req.Params.Input, req.Metadata)
	if err != nil {
		return nil, err
	}
	start.SessionID, start.ThreadID = req.Params.ThreadID, req.Params.ThreadID
	run, err := h.Service.StartRun(ctx, start)
	if err != nil {
		return nil, err
	}
	return h.follow(ctx, run)
}

func (h *Handler) addClientToolOutput(
	ctx context.Context, req api.ThreadsAddClientToolOutputReq,
) (api.ProcessChatKitResponseObject, error) {
	run, err := h.Service.Resume(ctx, runs.ResumeRequest{
		UserID: auth.UserID(ctx), SessionID: req.Params.ThreadID, Output: req.Params.Result, ClientTools: fromAPITools(req.Metadata),
		Locale: locale.FromContext(ctx),
	})
	if err != nil {
		return nil, err
	}
	return h.follow(ctx, run)
}

func (h *Handler) retryAfterItem(
	ctx context.Context, req api.ThreadsRetryAfterItemReq,
) (api.ProcessChatKitResponseObject, error) {
	run, err := h.Service.Retry(ctx, runs.RetryRequest{
		UserID: auth.UserID(ctx), SessionID: req.Params.ThreadID, ItemID: req.Params.ItemID, ClientTools: fromAPITools(req.Metadata),
		Locale: locale.FromContext(ctx),
	})
	if err != nil {
		return nil, err
	}
	return h.follow(ctx, run)
}

// follow streams a run, whether or not upstream will answer: the protocol reports
// every failure in the stream.
func (h *Handler) follow(ctx context.Context, run *runs.ActiveRun, first ...any) (api.ProcessChatKitResponseObject, error) {
	events, err := stream.New(stream.Options{
		WriteTimeout: h.WriteTimeout, KeepAlive: h.KeepAlive, Failed: toAPIError, Preview: h.AttachmentURLs.Preview(auth.UserID(ctx)),
		ImageDomains: h.ImageDomains,
	}, run.ID, run.Follow(0), ctx.Done(), first...)
	if err != nil {
		run.Fail(err)
		return nil, err
	}
	return runStream{events, run, h.Live}, nil
}

// runStream streams a run's events. The stream is the run's only follower, so a
// client that disconnects cancels the run, as in the openai-chatkit package.
type runStream struct {
	events *stream.Stream
	run    *runs.ActiveRun
	live   func(change int)
}

func (r runStream) VisitProcessChatKitResponse(w http.ResponseWriter) error {
	r.live(1)
	defer r.live(-1)
	switch err := r.events.Serve(w); {
	case err == nil:
	case errors.Is(err, stream.ErrDisconnected):
		r.run.Cancel(chat.FailureClientLeft)
	default:
		r.run.Fail(err)
	}
	return nil // The status is sent.
}

// toAPIError converts a failure as the Python package does: a failure that may be
// retried has no message, because the component shows its own.
func toAPIError(failed chat.Failed) any {
	event := api.ChatKitErrorEvent{
		Type: api.ChatKitErrorEventTypeError, Code: api.ChatKitErrorEventCodeStreamError, AllowRetry: failed.AllowRetry,
	}
	if !failed.AllowRetry {
		event.Code, event.Message = api.ChatKitErrorEventCodeCustom, &failed.Message
	}
	return event
}

// customAction answers in the stream, as the Python package does for a server
// without actions.
func (h *Handler) customAction(
	ctx context.Context, req api.ThreadsCustomActionReq,
) (api.ProcessChatKitResponseObject, error) {
	if _, err := h.Service.OpenThread(ctx, auth.UserID(ctx), req.Params.ThreadID); err != nil {
		return nil, err
	}
	if req.Params.ItemID != nil {
		// No item is a widget; the Python package answers so in that case.
		return h.refuse(api.ChatKitErrorEvent{
			Type: api.ChatKitErrorEventTypeError, Code: api.ChatKitErrorEventCodeStreamError,
		})
	}
	return h.refuse(api.StreamOptionsEvent{
		Type: api.StreamOptionsEventTypeStreamOptions, StreamOptions: api.StreamOptions{AllowCancel: true},
	}, toAPIError(chat.Failed{Message: "This server has no widgets, so there is no action of one."}))
}

// addStructuredInput refuses the request: no item of this server is a form.
func (h *Handler) addStructuredInput(
	ctx context.Context, req api.ThreadsAddStructuredInputReq,
) (api.ProcessChatKitResponseObject, error) {
	if _, err := h.Service.OpenThread(ctx, auth.UserID(ctx), req.Params.ThreadID); err != nil {
		return nil, err
	}
	return nil, noForm(req.Params.ItemID)
}

func noForm(item uuid.UUID) error {
	return chat.Errorf(chat.CodeNotSupported, "Item %s is no form; this server makes none.", item)
}

// refuse answers with a stream of one error event.
func (h *Handler) refuse(events ...any) (api.ProcessChatKitResponseObject, error) {
	out := sse.NewWriter(h.WriteTimeout)
	return refusal{out}, stream.Write(out, events...)
}

type refusal struct{ out *sse.Writer }

func (r refusal) VisitProcessChatKitResponse(w http.ResponseWriter) error {
	r.out.Open(w)
	_ = r.out.Flush() // A client that has gone takes no answer.
	return nil
}

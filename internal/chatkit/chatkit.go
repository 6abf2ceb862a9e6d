// Package chatkit is the adapter of the ChatKit protocol, as the types and the
// server of the openai-chatkit Python package define it: one operation whose body
// names the request. Threads are the same as in the REST API.
package chatkit

import (
	"context"
	"fmt"
	"time"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/auth"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/attachments"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/runs"
	"github.com/chatkit-rest/chatkit-rest/internal/stream"
)

// Options configure a Handler. All but ImageDomains are required.
type Options struct {
	Service     *runs.Service
	Attachments *attachments.Service
	// WriteTimeout is how long a client may read nothing of its stream before
	// it counts as disconnected.
	WriteTimeout time.Duration
	// KeepAlive is how long a stream may be quiet before a comment is sent.
	KeepAlive time.Duration
	// AttachmentURLs makes the links to attachments.
	AttachmentURLs stream.AttachmentURLs
	// ImageDomains are sent with every thread, as allowed_image_domains; none:
	// not sent.
	ImageDomains []string
	// Live is called with 1 when a stream begins and with -1 when it ends.
	Live func(change int)
}

// Handler serves the protocol's operation.
type Handler struct{ Options }

// New returns a handler.
func New(o Options) *Handler { return &Handler{o} }

// ProcessChatKit answers a request of the protocol: with a stream where it
// starts a run, else with one JSON object.
func (h *Handler) ProcessChatKit(
	ctx context.Context, request api.ProcessChatKitRequestObject,
) (api.ProcessChatKitResponseObject, error) {
	value, err := request.Body.ValueByDiscriminator()
	if err != nil {
		return nil, chat.Errorf(chat.CodeInvalidRequest, "The body is no request of the ChatKit protocol; see its type.")
	}
	switch req := value.(type) {
	case api.ThreadsCreateReq:
		return h.createThread(ctx, req)
	case api.ThreadsAddUserMessageReq:
		return h.addUserMessage(ctx, req)
	case api.ThreadsAddClientToolOutputReq:
		return h.addClientToolOutput(ctx, req)
	case api.ThreadsRetryAfterItemReq:
		return h.retryAfterItem(ctx, req)
	case api.ThreadsCustomActionReq:
		return h.customAction(ctx, req)
	case api.ThreadsAddStructuredInputReq:
		return h.addStructuredInput(ctx, req)
	default:
		return h.answer(ctx, value)
	}
}

// answer serves the requests that are answered without a stream.
func (h *Handler) answer(ctx context.Context, value any) (api.ProcessChatKitResponseObject, error) {
	switch req := value.(type) {
	case api.ThreadsGetByIDReq:
		return h.getThread(ctx, req.Params)
	case api.ThreadsListReq:
		return h.listThreads(ctx, req.Params)
	case api.ThreadsUpdateReq:
		return h.updateThread(ctx, req.Params)
	case api.ThreadsDeleteReq:
		return h.deleteThread(ctx, req.Params)
	case api.ItemsListReq:
		return h.listItems(ctx, req.Params)
	case api.ItemsFeedbackReq:
		return h.addFeedback(ctx, req.Params)
	case api.AttachmentsCreateReq:
		return h.createAttachment(ctx, req.Params)
	case api.AttachmentsDeleteReq:
		return done(h.Attachments.Delete(ctx, auth.UserID(ctx), req.Params.AttachmentID))
	case api.InputTranscribeReq:
		return nil, chat.Errorf(chat.CodeNotSupported, "This server cannot turn speech into text.")
	case api.ThreadsSyncCustomActionReq:
		return nil, h.noActions(ctx, req.Params)
	default:
		return nil, fmt.Errorf("no answer to %T", value)
	}
}

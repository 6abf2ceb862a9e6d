package rest

import (
	"context"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/deadline"
	"github.com/chatkit-rest/chatkit-rest/internal/stream"
)

// UploadAttachment stores the content of an attachment.
func (h *Handler) UploadAttachment(
	ctx context.Context, request api.UploadAttachmentRequestObject,
) (api.UploadAttachmentResponseObject, error) {
	visitor := visitorOf(ctx, request.Params.Signature)
	if err := h.Service.UploadAttachment(ctx, request.AttachmentID, visitor, request.Body); err != nil {
		return nil, err
	}
	return uploaded{}, nil
}

type uploaded struct{}

func (uploaded) VisitUploadAttachmentResponse(w http.ResponseWriter) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// GetAttachment answers with the content of an attachment.
func (h *Handler) GetAttachment(
	ctx context.Context, request api.GetAttachmentRequestObject,
) (api.GetAttachmentResponseObject, error) {
	visitor := visitorOf(ctx, request.Params.Signature)
	attachment, content, err := h.Service.OpenAttachment(ctx, request.AttachmentID, visitor)
	if err != nil {
		return nil, err
	}
	return attachmentContent{attachment, content, h.WriteTimeout}, nil
}

// visitorOf is the caller, or whoever has the link.
func visitorOf(ctx context.Context, signature *string) chat.Visitor {
	if signature == nil || *signature == "" {
		return chat.Visitor{UserID: userID(ctx)}
	}
	link := stream.ParseLink(*signature)
	return chat.Visitor{Link: &link}
}

// attachmentContent is a user's file. Nothing in it may run in this server's
// origin, whatever a browser takes it for.
type attachmentContent struct {
	chat.Attachment

	content io.ReadCloser
	// timeout is how long the client may take nothing of it.
	timeout time.Duration
}

func (a attachmentContent) VisitGetAttachmentResponse(w http.ResponseWriter) error {
	defer a.content.Close()
	disposition := "attachment"
	if a.IsImage() {
		disposition = "inline"
	}
	header := w.Header()
	header.Set("Content-Type", contentType(a.Attachment))
	header.Set("Content-Length", strconv.FormatInt(a.Size, 10))
	header.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": a.Name}))
	header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
	header.Set("X-Content-Type-Options", "nosniff")
	to := deadline.NewWriter(w, a.timeout)
	w.WriteHeader(http.StatusOK)
	_, _ = io.Copy(to, a.content) // The status is sent; a client sees that bytes are missing.
	return nil
}

// contentType says of texts what they were seen to be.
func contentType(a chat.Attachment) string {
	if a.IsText() {
		return a.MimeType + "; charset=utf-8"
	}
	return a.MimeType
}

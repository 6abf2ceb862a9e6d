package rest

import (
	"context"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/auth"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/attachments"
	"github.com/chatkit-rest/chatkit-rest/internal/deadline"
	"github.com/chatkit-rest/chatkit-rest/internal/stream"
)

// UploadAttachment stores the content of an attachment.
func (h *Handler) UploadAttachment(
	ctx context.Context, request api.UploadAttachmentRequestObject,
) (api.UploadAttachmentResponseObject, error) {
	access := accessOf(ctx, request.Params.Signature)
	if err := h.Attachments.Upload(ctx, request.AttachmentID, access, request.Body); err != nil {
		return nil, err
	}
	return uploaded{}, nil
}

type uploaded struct{}

func (uploaded) VisitUploadAttachmentResponse(w http.ResponseWriter) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// GetAttachment returns the content of an attachment.
func (h *Handler) GetAttachment(
	ctx context.Context, request api.GetAttachmentRequestObject,
) (api.GetAttachmentResponseObject, error) {
	access := accessOf(ctx, request.Params.Signature)
	attachment, content, err := h.Attachments.Open(ctx, request.AttachmentID, access)
	if err != nil {
		return nil, err
	}
	return attachmentContent{attachment, content, h.WriteTimeout}, nil
}

// accessOf returns what permits the request: the caller's token or a signed URL.
func accessOf(ctx context.Context, signature *string) attachments.Access {
	if signature == nil || *signature == "" {
		return attachments.Access{UserID: auth.UserID(ctx)}
	}
	parsed := stream.ParseSignature(*signature)
	return attachments.Access{Signature: &parsed}
}

// attachmentContent answers with the content of a user's file. Its headers keep a
// browser from running it in this server's origin.
type attachmentContent struct {
	chat.Attachment

	content io.ReadCloser
	// timeout is the longest time in which the client may read nothing.
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
	_, _ = io.Copy(to, a.content) // The status is sent; the length shows the client that bytes are missing.
	return nil
}

// contentType returns the media type. Texts are UTF-8, since uploads are checked
// for it.
func contentType(a chat.Attachment) string {
	if a.IsText() {
		return a.MimeType + "; charset=utf-8"
	}
	return a.MimeType
}

package chatkit

import (
	"context"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/auth"
)

// createAttachment handles attachments.create, the first step of an upload. The
// second is the REST API's UploadAttachment.
func (h *Handler) createAttachment(
	ctx context.Context, params api.AttachmentCreateParams,
) (api.ProcessChatKitResponseObject, error) {
	created, err := h.Attachments.Create(ctx, auth.UserID(ctx), params.Name, params.MimeType, params.Size)
	if err != nil {
		return nil, err
	}
	attachment, err := h.AttachmentURLs.ToAPINewAttachment(created)
	if err != nil {
		return nil, err
	}
	return answer{attachment}, nil
}

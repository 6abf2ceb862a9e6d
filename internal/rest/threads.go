package rest

import (
	"context"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/auth"
)

// CreateThread answers with the session's thread, which exists already.
func (h *Handler) CreateThread(
	ctx context.Context, request api.CreateThreadRequestObject,
) (api.CreateThreadResponseObject, error) {
	session, err := h.Service.OpenThread(ctx, auth.UserID(ctx), request.SessionID)
	if err != nil {
		return nil, err
	}
	return api.CreateThread200JSONResponse{Body: api.ThreadCreatedResponse{
		Success: true,
		Data:    api.CreatedThread{ID: session.ID, SessionID: session.ID, CreatedAt: session.CreatedAt},
	}}, nil
}

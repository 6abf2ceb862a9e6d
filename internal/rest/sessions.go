package rest

import (
	"context"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/auth"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// defaultPage is the number of sessions in a page where the request names none.
const defaultPage = 20

// CreateSession creates an empty session.
func (h *Handler) CreateSession(
	ctx context.Context, _ api.CreateSessionRequestObject,
) (api.CreateSessionResponseObject, error) {
	session, err := h.Service.CreateSession(ctx, auth.UserID(ctx))
	if err != nil {
		return nil, err
	}
	return api.CreateSession200JSONResponse{Body: api.SessionCreatedResponse{
		Success: true,
		Data:    api.CreatedSession{ID: session.ID, UserID: session.UserID, CreatedAt: session.CreatedAt},
	}}, nil
}

// ListSessions answers with a page of the caller's sessions.
func (h *Handler) ListSessions(
	ctx context.Context, request api.ListSessionsRequestObject,
) (api.ListSessionsResponseObject, error) {
	query := chat.SessionQuery{Limit: defaultPage}
	if request.Params.Limit != nil {
		query.Limit = *request.Params.Limit
	}
	if request.Params.After != nil {
		var err error
		if query.After, err = chat.ParseSessionCursor(*request.Params.After); err != nil {
			return nil, err
		}
	}
	page, err := h.Service.ListSessions(ctx, auth.UserID(ctx), query)
	if err != nil {
		return nil, err
	}
	return api.ListSessions200JSONResponse{Body: toAPISessionList(page)}, nil
}

// GetSession answers with a session and its messages, oldest first, and with its
// active run.
func (h *Handler) GetSession(
	ctx context.Context, request api.GetSessionRequestObject,
) (api.GetSessionResponseObject, error) {
	active, err := h.Service.ActiveRun(ctx, auth.UserID(ctx), request.SessionID)
	if err != nil {
		return nil, err
	}
	session, items, err := h.Service.Session(ctx, auth.UserID(ctx), request.SessionID)
	if err != nil {
		return nil, err
	}
	data, err := toAPISession(session, items, h.AttachmentURLs.Preview(session.UserID))
	if err != nil {
		return nil, err
	}
	data.ActiveRun = toAPIActiveRun(active)
	return api.GetSession200JSONResponse{Body: api.SessionResponse{Success: true, Data: data}}, nil
}

// DeleteSession deletes a session with its thread and files.
func (h *Handler) DeleteSession(
	ctx context.Context, request api.DeleteSessionRequestObject,
) (api.DeleteSessionResponseObject, error) {
	if err := h.Service.DeleteSession(ctx, auth.UserID(ctx), request.SessionID); err != nil {
		return nil, err
	}
	return api.DeleteSession200JSONResponse{Body: api.SessionDeletedResponse{
		Success: true,
		Data:    api.DeletedSession{ID: request.SessionID, SessionID: request.SessionID, Deleted: true},
	}}, nil
}

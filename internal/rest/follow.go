package rest

import (
	"context"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/auth"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// ListRuns answers with a page of a session's runs.
func (h *Handler) ListRuns(ctx context.Context, request api.ListRunsRequestObject) (api.ListRunsResponseObject, error) {
	userID := auth.UserID(ctx)
	if err := h.Service.CheckThread(ctx, userID, request.SessionID, request.ThreadID); err != nil {
		return nil, err
	}
	query := chat.RunQuery{Limit: defaultPage, After: request.Params.After}
	if request.Params.Limit != nil {
		query.Limit = *request.Params.Limit
	}
	page, err := h.Service.ListRuns(ctx, userID, request.SessionID, query)
	if err != nil {
		return nil, err
	}
	return api.ListRuns200JSONResponse{Body: toAPIRunList(page)}, nil
}

// GetRun answers with a run.
func (h *Handler) GetRun(ctx context.Context, request api.GetRunRequestObject) (api.GetRunResponseObject, error) {
	ref, err := h.runRef(ctx, request.SessionID, request.ThreadID, request.RunID)
	if err != nil {
		return nil, err
	}
	run, err := h.Service.Run(ctx, ref)
	if err != nil {
		return nil, err
	}
	return api.GetRun200JSONResponse{Body: api.RunResponse{Success: true, Data: toAPIRun(run)}}, nil
}

// CancelRun cancels a run and answers with its end.
func (h *Handler) CancelRun(ctx context.Context, request api.CancelRunRequestObject) (api.CancelRunResponseObject, error) {
	ref, err := h.runRef(ctx, request.SessionID, request.ThreadID, request.RunID)
	if err != nil {
		return nil, err
	}
	run, err := h.Service.CancelRun(ctx, ref)
	if err != nil {
		return nil, err
	}
	return api.CancelRun200JSONResponse{Body: api.RunResponse{Success: true, Data: toAPIRun(run)}}, nil
}

// FollowRun streams the events of a run after the one that the client received
// last.
func (h *Handler) FollowRun(ctx context.Context, request api.FollowRunRequestObject) (api.FollowRunResponseObject, error) {
	ref, err := h.runRef(ctx, request.SessionID, request.ThreadID, request.RunID)
	if err != nil {
		return nil, err
	}
	follower, err := h.Service.Follow(ctx, ref, lastReceived(request.Params))
	if err != nil {
		return nil, err
	}
	events, err := h.newStream(ctx, ref.RunID, follower)
	if err != nil {
		return nil, err
	}
	return runStream{events}, nil
}

// lastReceived is the number of the last event that the client received. The header
// comes first: an EventSource that reconnects sends it with the URL's old number.
func lastReceived(params api.FollowRunParams) int {
	switch {
	case params.LastEventID != nil:
		return *params.LastEventID
	case params.After != nil:
		return *params.After
	}
	return 0
}

// runRef names a run of the caller's. Returns errors as [runs.Service.CheckThread].
func (h *Handler) runRef(ctx context.Context, session, thread, run uuid.UUID) (chat.RunRef, error) {
	ref := chat.RunRef{UserID: auth.UserID(ctx), SessionID: session, RunID: run}
	return ref, h.Service.CheckThread(ctx, ref.UserID, session, thread)
}

package chatkit

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/auth"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/stream"
)

// defaultPage is the length of a page where the request names none, as in the
// Python package.
const defaultPage = 20

// answer is the answer to a request without a stream.
type answer struct{ value any }

func (a answer) VisitProcessChatKitResponse(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(a.value)
}

// done is the empty answer.
func done(err error) (api.ProcessChatKitResponseObject, error) {
	if err != nil {
		return nil, err
	}
	return answer{api.Done{}}, nil
}

func (h *Handler) getThread(ctx context.Context, params api.ThreadGetByIDParams) (api.ProcessChatKitResponseObject, error) {
	session, err := h.Service.OpenThread(ctx, auth.UserID(ctx), params.ThreadID)
	if err != nil {
		return nil, err
	}
	items, err := h.page(ctx, params.ThreadID, chat.ItemQuery{Limit: defaultPage, Ascending: true})
	if err != nil {
		return nil, err
	}
	return answer{stream.ToAPIThread(session, items, h.ImageDomains)}, nil
}

func (h *Handler) listThreads(ctx context.Context, params api.ThreadListParams) (api.ProcessChatKitResponseObject, error) {
	query := chat.SessionQuery{Limit: pageLength(params.Limit), Ascending: isAscending(params.Order)}
	if params.After != nil {
		var err error
		if query.After, err = chat.ParseSessionCursor(*params.After); err != nil {
			return nil, err
		}
	}
	found, err := h.Service.ListSessions(ctx, auth.UserID(ctx), query)
	if err != nil {
		return nil, err
	}
	page := stream.ThreadPage{Data: make([]stream.Thread, len(found.Sessions)), HasMore: found.HasMore}
	for n, session := range found.Sessions {
		page.Data[n] = stream.ToAPIThread(session, stream.ItemPage{}, h.ImageDomains)
	}
	if found.HasMore {
		after := found.Cursor().String()
		page.After = &after
	}
	return answer{page}, nil
}

func (h *Handler) updateThread(ctx context.Context, params api.ThreadUpdateParams) (api.ProcessChatKitResponseObject, error) {
	session, err := h.Service.Rename(ctx, auth.UserID(ctx), params.ThreadID, params.Title)
	if err != nil {
		return nil, err
	}
	return answer{stream.ToAPIThread(session, stream.ItemPage{}, h.ImageDomains)}, nil
}

func (h *Handler) deleteThread(ctx context.Context, params api.ThreadDeleteParams) (api.ProcessChatKitResponseObject, error) {
	return done(h.Service.DeleteSession(ctx, auth.UserID(ctx), params.ThreadID))
}

func (h *Handler) listItems(ctx context.Context, params api.ItemsListParams) (api.ProcessChatKitResponseObject, error) {
	page, err := h.page(ctx, params.ThreadID, chat.ItemQuery{
		Limit: pageLength(params.Limit), After: params.After, Ascending: isAscending(params.Order),
	})
	if err != nil {
		return nil, err
	}
	return answer{page}, nil
}

func (h *Handler) page(ctx context.Context, thread uuid.UUID, query chat.ItemQuery) (stream.ItemPage, error) {
	found, err := h.Service.Items(ctx, auth.UserID(ctx), thread, query)
	if err != nil {
		return stream.ItemPage{}, err
	}
	preview := h.AttachmentURLs.Preview(auth.UserID(ctx))
	page := stream.ItemPage{Data: make([]stream.Item, len(found.Items)), HasMore: found.HasMore}
	for n, item := range found.Items {
		if page.Data[n], err = stream.ToAPIItem(item, preview); err != nil {
			return stream.ItemPage{}, err
		}
	}
	if found.HasMore {
		after := found.Items[len(found.Items)-1].ID.String()
		page.After = &after
	}
	return page, nil
}

func (h *Handler) addFeedback(ctx context.Context, params api.ItemFeedbackParams) (api.ProcessChatKitResponseObject, error) {
	return done(h.Service.AddFeedback(ctx, chat.Feedback{
		UserID: auth.UserID(ctx), SessionID: params.ThreadID, ItemIDs: params.ItemIds, Kind: chat.FeedbackKind(params.Kind),
	}))
}

func (h *Handler) noActions(ctx context.Context, params api.ThreadCustomActionParams) error {
	if _, err := h.Service.OpenThread(ctx, auth.UserID(ctx), params.ThreadID); err != nil {
		return err
	}
	return chat.Errorf(chat.CodeNotSupported, "This server has no widgets, so there is no action of one.")
}

// pageLength returns the default for 0, as the Python package does.
func pageLength(limit *int) int {
	if limit == nil || *limit == 0 {
		return defaultPage
	}
	return *limit
}

func isAscending(order *api.ListOrder) bool { return order != nil && *order == api.ListOrderAsc }

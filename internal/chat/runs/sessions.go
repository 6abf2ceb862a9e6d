package runs

import (
	"context"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// CreateSession makes an empty session. Returns ErrSessionLimit if the user
// holds as many as allowed.
func (s *Service) CreateSession(ctx context.Context, userID string) (chat.Session, error) {
	session := s.newSession(userID)
	if err := s.Store.CreateSession(ctx, session, s.Limits.SessionsPerUser); err != nil {
		return chat.Session{}, err
	}
	return session, nil
}

func (s *Service) newSession(userID string) chat.Session {
	now := s.now()
	return chat.Session{ID: newID(), UserID: userID, CreatedAt: now, UpdatedAt: now}
}

// ListSessions returns a page of the user's sessions, newest update first.
func (s *Service) ListSessions(ctx context.Context, userID string, q chat.SessionQuery) (chat.SessionPage, error) {
	return s.Store.ListSessions(ctx, userID, q)
}

// Items returns a page of a thread's items that a client may see. Returns
// ErrSessionNotFound, ErrForbidden and ErrItemNotFound.
func (s *Service) Items(ctx context.Context, userID string, session uuid.UUID, q chat.ItemQuery) (chat.ItemPage, error) {
	return s.Store.ListItems(ctx, userID, session, q)
}

// Rename gives a session the title that its user chose. Returns
// INVALID_REQUEST, ErrSessionNotFound and ErrForbidden.
func (s *Service) Rename(ctx context.Context, userID string, id uuid.UUID, title string) (chat.Session, error) {
	if err := checkTitle(title); err != nil {
		return chat.Session{}, err
	}
	return s.Store.SetTitle(ctx, userID, id, oneLine(title))
}

// AddFeedback stores a user's feedback on items. Returns ErrSessionNotFound,
// ErrForbidden and ErrItemNotFound.
func (s *Service) AddFeedback(ctx context.Context, feedback chat.Feedback) error {
	feedback.At = s.now()
	return s.Store.SaveFeedback(ctx, feedback)
}

// Session returns a session with its items, oldest first. Returns
// ErrSessionNotFound and ErrForbidden.
func (s *Service) Session(ctx context.Context, userID string, id uuid.UUID) (chat.Session, []chat.Item, error) {
	return s.Store.SessionWithItems(ctx, userID, id)
}

// DeleteSession deletes a session with all its data, and cancels its run.
// Returns ErrSessionNotFound and ErrForbidden.
func (s *Service) DeleteSession(ctx context.Context, userID string, id uuid.UUID) error {
	if err := s.Store.DeleteSession(ctx, userID, id); err != nil {
		return err
	}
	s.Attachments.RequestSweep()
	s.mu.Lock()
	defer s.mu.Unlock()
	if run := s.live[id]; run != nil {
		run.Cancel(chat.FailureSessionGone)
	}
	for _, run := range s.starting[id] {
		run.Cancel(chat.FailureSessionGone)
	}
	return nil
}

// OpenThread returns the session of a thread. Each session has one thread, whose
// id is the session's. Returns ErrSessionNotFound and
// ErrForbidden.
func (s *Service) OpenThread(ctx context.Context, userID string, sessionID uuid.UUID) (chat.Session, error) {
	return s.Store.Session(ctx, userID, sessionID)
}

package store

import (
	"context"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

const (
	visibleSelect = `SELECT ` + itemColumns + ` FROM items WHERE session_id = ? AND superseded_at IS NULL
		AND type NOT IN ('sdk_hidden_context', 'tool_calls')`
	visibleAfter  = ` AND position > ?`
	visibleBefore = ` AND position < ?`
	oldestFirst   = ` ORDER BY position LIMIT CAST(? AS bigint)`
	newestFirst   = ` ORDER BY position DESC LIMIT CAST(? AS bigint)`
	// cursorSelect finds superseded items too: a page may have ended with one.
	cursorSelect = `SELECT position FROM items WHERE session_id = ? AND id = ?`
)

// ListItems implements [chat.Store].
func (s *Store) ListItems(ctx context.Context, userID string, session uuid.UUID, q chat.ItemQuery) (chat.ItemPage, error) {
	var page chat.ItemPage
	err := s.do(ctx, "list items", func(ctx context.Context) error {
		db := s.read.WithContext(ctx)
		if _, err := readSession(db, userID, session); err != nil {
			return err
		}
		q.Limit = max(q.Limit, 0)
		statement, args, err := itemStatement(db, session, q)
		if err != nil {
			return err
		}
		rows, err := readRows(db.Raw(statement, args...), itemFields)
		if err != nil {
			return err
		}
		page.HasMore = len(rows) > q.Limit
		page.Items, err = toChatItems(session, rows[:min(len(rows), q.Limit)])
		return err
	})
	if err != nil {
		return chat.ItemPage{}, err
	}
	return page, nil
}

// itemStatement asks for one item more than the page holds, which tells
// whether there are more pages.
func itemStatement(db *gorm.DB, session uuid.UUID, q chat.ItemQuery) (string, []any, error) {
	order, beyond := newestFirst, visibleBefore
	if q.Ascending {
		order, beyond = oldestFirst, visibleAfter
	}
	if q.After == nil {
		return visibleSelect + order, []any{session.String(), q.Limit + 1}, nil
	}
	position, err := readNumber(db.Raw(cursorSelect, session.String(), q.After.String()))
	if err == nil && position == 0 {
		err = chat.ErrItemNotFound()
	}
	return visibleSelect + beyond + order, []any{session.String(), position, q.Limit + 1}, err
}

// SaveFeedback implements [chat.Store].
func (s *Store) SaveFeedback(ctx context.Context, feedback chat.Feedback) error {
	return s.inTransaction(ctx, "save feedback", func(tx *gorm.DB) error {
		if _, err := readSession(tx, feedback.UserID, feedback.SessionID); err != nil {
			return err
		}
		for _, id := range feedback.ItemIDs {
			saved := tx.Exec(`INSERT INTO feedback (item_id, kind, created_at)
				SELECT id, ?, CAST(? AS bigint) FROM items WHERE session_id = ? AND id = ?
				ON CONFLICT (item_id) DO UPDATE SET kind = excluded.kind, created_at = excluded.created_at`,
				string(feedback.Kind), toMicros(feedback.At), feedback.SessionID.String(), id.String())
			if saved.Error != nil {
				return saved.Error
			}
			if saved.RowsAffected == 0 {
				return chat.ErrItemNotFound()
			}
		}
		return nil
	})
}

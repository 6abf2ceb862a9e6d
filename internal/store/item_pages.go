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
	// cursorSelect finds superseded items too: a page may end with an item that
	// is superseded before the next page is read.
	cursorSelect = `SELECT position FROM items WHERE session_id = ? AND id = ?`
)

// ListItems implements [chat.Store].
func (s *Store) ListItems(ctx context.Context, userID string, session uuid.UUID, q chat.ItemQuery) (chat.ItemPage, error) {
	var page chat.ItemPage
	err := s.db.Do(ctx, "list items", func(ctx context.Context) error {
		db := s.db.Read(ctx)
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

// itemStatement selects one item more than the page holds, which shows whether
// there is another page.
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

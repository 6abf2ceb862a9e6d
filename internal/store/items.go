package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// SessionWithItems implements [chat.Store]. It reads the session and then the
// items, without a transaction, which would cost two more statements. Items are
// appended only, so those up to the session's newest position are the items that
// it had when it was read. If a run retries in between, the session is older than
// the items, which lack the superseded ones.
func (s *Store) SessionWithItems(ctx context.Context, userID string, id uuid.UUID) (chat.Session, []chat.Item, error) {
	var session chat.Session
	var items []chat.Item
	err := s.db.Do(ctx, "read items", func(ctx context.Context) error {
		db := s.db.Read(ctx)
		row, err := readSession(db, userID, id)
		if err != nil {
			return err
		}
		session = toChatSession(row)
		if row.ItemSeq == 0 {
			return nil
		}
		rows, err := readRows(db.Raw(historySelect, id.String(), row.ItemSeq), itemFields)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			// The session may have been deleted between the two queries.
			if _, err := readSession(db, userID, id); err != nil {
				return err
			}
		}
		items, err = toChatItems(id, rows)
		return err
	})
	if err != nil {
		return chat.Session{}, nil, err
	}
	return session, items, nil
}

const (
	historySelect = `SELECT ` + itemColumns + ` FROM items WHERE session_id = ? AND position <= ? AND superseded_at IS NULL
		ORDER BY position`
	newestSelect = `SELECT ` + itemColumns + ` FROM items WHERE session_id = ? AND position < ? AND superseded_at IS NULL
		ORDER BY position DESC LIMIT CAST(? AS bigint)`
)

// newestItems returns up to limit items before a position, oldest first.
func newestItems(db *gorm.DB, session uuid.UUID, before int64, limit int) ([]chat.Item, error) {
	if limit <= 0 || before <= 1 {
		return nil, nil
	}
	rows, err := readRows(db.Raw(newestSelect, session.String(), before, limit), itemFields)
	if err != nil {
		return nil, err
	}
	slices.Reverse(rows)
	return toChatItems(session, rows)
}

// insertItem stores an item, unless it is stored already, and reports whether it
// stored it.
func insertItem(tx *gorm.DB, item chat.Item, position int64) (bool, error) {
	args, err := itemArgs(item)
	if err != nil {
		return false, err
	}
	inserted := tx.Exec(`INSERT INTO items (`+itemInsertColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
		append([]any{item.SessionID.String(), position}, args...)...)
	return inserted.RowsAffected == 1, inserted.Error
}

const itemInsertColumns = `session_id, position, ` + itemColumns

// itemArgs are the values of itemColumns.
func itemArgs(item chat.Item) ([]any, error) {
	content, err := fromChatContent(item.Content)
	if err != nil {
		return nil, fmt.Errorf("encode content: %w", err)
	}
	calls, err := fromChatToolCalls(item.ToolCalls)
	if err != nil {
		return nil, fmt.Errorf("encode tool calls: %w", err)
	}
	detail, err := fromChatDetail(item)
	if err != nil {
		return nil, fmt.Errorf("encode detail: %w", err)
	}
	return []any{
		item.ID.String(), item.RunID.String(), string(item.Type), content, calls, detail, toMicros(item.CreatedAt),
	}, nil
}

package store

import (
	"context"

	"gorm.io/gorm"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// SaveFeedback implements [chat.Store].
func (s *Store) SaveFeedback(ctx context.Context, feedback chat.Feedback) error {
	return s.db.InTransaction(ctx, "save feedback", func(tx *gorm.DB) error {
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

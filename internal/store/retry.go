package store

import (
	"context"

	"gorm.io/gorm"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// RetryRun implements [chat.Store].
func (s *Store) RetryRun(ctx context.Context, retry chat.Retry, historyLimit int) (chat.StartedRun, error) {
	var started chat.StartedRun
	err := s.db.InTransaction(ctx, "retry run", func(tx *gorm.DB) error {
		row, err := lockSession(tx, retry.UserID, retry.Run)
		if err != nil {
			return err
		}
		if err := insertRun(tx, retry.Run); err != nil {
			return err
		}
		position, err := readNumber(tx.Raw(`SELECT position FROM items
			WHERE session_id = ? AND id = ? AND type = ? AND superseded_at IS NULL`,
			row.ID.String(), retry.ItemID.String(), string(chat.ItemUserMessage)))
		if err != nil {
			return err
		}
		if position == 0 {
			return chat.ErrItemNotFound()
		}
		if row, err = supersede(tx, row, retry.Run, position); err != nil {
			return err
		}
		history, err := newestItems(tx, row.ID, int64(position)+1, historyLimit)
		if err != nil {
			return err
		}
		started = chat.StartedRun{Session: toChatSession(row), History: history, TitleCut: row.titleIsCut()}
		return setRequestedModel(tx, retry.Run, history, retry.Models)
	})
	return started, err
}

// lockSession locks the session's row and sets the time of its update. Changes
// of one session wait for each other by this lock.
func lockSession(tx *gorm.DB, userID string, run chat.Run) (sessionRow, error) {
	at := toMicros(run.StartedAt)
	rows, err := readRows(tx.Raw(touchUpdate+` AND user_id = ? RETURNING `+sessionColumns,
		at, at, run.SessionID.String(), userID), sessionFields)
	if err != nil {
		return sessionRow{}, err
	}
	if len(rows) == 0 {
		return sessionRow{}, sessionError(tx, userID, run.SessionID)
	}
	return rows[0], nil
}

// supersede marks the items after a position as superseded, and takes them off
// the session's count.
func supersede(tx *gorm.DB, row sessionRow, run chat.Run, position int) (sessionRow, error) {
	types, err := readRows(tx.Raw(`UPDATE items SET superseded_at = ?
		WHERE session_id = ? AND position > ? AND superseded_at IS NULL RETURNING type`,
		toMicros(run.StartedAt), row.ID.String(), position), func(t *string) []any { return []any{t} })
	if err != nil {
		return sessionRow{}, err
	}
	messages := 0
	for _, t := range types {
		if chat.ItemType(t).IsMessage() {
			messages++
		}
	}
	rows, err := readRows(tx.Raw(countUpdate+` RETURNING `+sessionColumns, 0, -messages, row.ID.String()), sessionFields)
	if err != nil {
		return sessionRow{}, err
	}
	return rows[0], nil
}

// setRequestedModel stores the model that the run's message asks for, if any.
func setRequestedModel(tx *gorm.DB, run chat.Run, history []chat.Item, offered []string) error {
	model := chat.RequestedModel(history, offered)
	if model == "" {
		return nil
	}
	return tx.Exec(`UPDATE runs SET model = ? WHERE id = ?`, model, run.ID.String()).Error
}

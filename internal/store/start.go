package store

import (
	"context"

	"gorm.io/gorm"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database"
)

// StartRun implements [chat.Store]. Its first statement locks the session's row,
// so that changes of one session wait for each other.
func (s *Store) StartRun(ctx context.Context, start chat.NewRun, historyLimit int) (chat.StartedRun, error) {
	var started chat.StartedRun
	err := s.db.Do(ctx, "start run", func(ctx context.Context) (err error) {
		if s.db.Driver() == database.PostgreSQL && len(start.Message.Attachments) == 0 {
			started, err = startRunPostgres(s.db.Write(ctx), start, historyLimit)
			if !isUniqueViolation(err) {
				return err
			}
		}
		return s.db.Transact(ctx, func(tx *gorm.DB) error {
			started, err = startRun(tx, start, historyLimit)
			return err
		})
	})
	if err != nil {
		return chat.StartedRun{}, err
	}
	return started, nil
}

func startRun(tx *gorm.DB, start chat.NewRun, historyLimit int) (chat.StartedRun, error) {
	row, err := storeStart(tx, start)
	if err != nil {
		return chat.StartedRun{}, err
	}
	history, err := newestItems(tx, row.ID, row.ItemSeq, historyLimit)
	return newStartedRun(row, history), err
}

// storeStart stores a run and its message.
func storeStart(tx *gorm.DB, start chat.NewRun) (sessionRow, error) {
	row, err := countMessage(tx, start)
	if err != nil {
		return sessionRow{}, err
	}
	if err := insertRun(tx, start.Run); err != nil {
		return sessionRow{}, err
	}
	inserted, err := insertItem(tx, start.Message, row.ItemSeq)
	if err != nil {
		return sessionRow{}, err
	}
	if !inserted {
		return sessionRow{}, database.SafeError("the id of the message is taken")
	}
	return row, sendAttachments(tx, start.UserID, start.Message)
}

func newStartedRun(row sessionRow, history []chat.Item) chat.StartedRun {
	return chat.StartedRun{
		Session: toChatSession(row), History: history, TitleCut: row.titleIsCut(),
		TitleSet: row.TitlePosition != nil && *row.TitlePosition == row.ItemSeq,
	}
}

// countMessageUpdate counts a message and reserves its position. updated_at never
// decreases, though the clocks of the servers may differ.
const countMessageUpdate = `UPDATE sessions SET
		item_seq = item_seq + 1,
		message_count = message_count + 1,
		updated_at = CASE WHEN updated_at > ? THEN updated_at ELSE ? END,
		title_position = CASE WHEN title IS NULL AND ? <> '' THEN item_seq + 1 ELSE title_position END,
		title = COALESCE(title, NULLIF(?, ''))
		WHERE id = ? AND user_id = ? RETURNING ` + sessionColumns

func countMessageArgs(start chat.NewRun) []any {
	at := toMicros(start.Message.CreatedAt)
	return []any{at, at, start.Title, start.Title, start.Run.SessionID.String(), start.UserID}
}

func countMessage(tx *gorm.DB, start chat.NewRun) (sessionRow, error) {
	rows, err := readRows(tx.Raw(countMessageUpdate, countMessageArgs(start)...), sessionFields)
	if err != nil {
		return sessionRow{}, err
	}
	if len(rows) == 0 {
		return sessionRow{}, sessionError(tx, start.UserID, start.Run.SessionID)
	}
	return rows[0], nil
}

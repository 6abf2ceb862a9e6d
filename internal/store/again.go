package store

import (
	"context"

	"gorm.io/gorm"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// RetryRun implements [chat.Store].
func (s *Store) RetryRun(ctx context.Context, retry chat.Retry, historyLimit int) (chat.StartedRun, error) {
	var started chat.StartedRun
	err := s.inTransaction(ctx, "retry run", func(tx *gorm.DB) error {
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

// lockSession locks the session's row, and touches the session: what is done
// to one session is done one after the other.
func lockSession(tx *gorm.DB, userID string, run chat.Run) (sessionRow, error) {
	at := toMicros(run.StartedAt)
	rows, err := readRows(tx.Raw(touchUpdate+` AND user_id = ? RETURNING `+sessionColumns,
		at, at, run.SessionID.String(), userID), sessionFields)
	if err != nil {
		return sessionRow{}, err
	}
	if len(rows) == 0 {
		return sessionRow{}, whyNoSession(tx, userID, run.SessionID)
	}
	return rows[0], nil
}

// supersede marks the items after a position; they count no more.
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
	rows, err := readRows(tx.Raw(countUpdate, 0, -messages, row.ID.String()), sessionFields)
	if err != nil {
		return sessionRow{}, err
	}
	return rows[0], nil
}

// turnCount counts the items from the last user message on.
const turnCount = `SELECT count(*) FROM items WHERE session_id = ? AND superseded_at IS NULL AND position >= (
		SELECT COALESCE(max(position), 0) FROM items WHERE session_id = ? AND type = 'user_message' AND superseded_at IS NULL)`

// ResumeRun implements [chat.Store].
func (s *Store) ResumeRun(ctx context.Context, resume chat.Resume, historyLimit int) (chat.StartedRun, error) {
	var started chat.StartedRun
	err := s.inTransaction(ctx, "resume run", func(tx *gorm.DB) error {
		row, err := lockSession(tx, resume.UserID, resume.Run)
		if err != nil {
			return err
		}
		if err := insertRun(tx, resume.Run); err != nil {
			return err
		}
		turn, err := readNumber(tx.Raw(turnCount, row.ID.String(), row.ID.String()))
		if err != nil {
			return err
		}
		// A call goes upstream with the question it belongs to.
		history, err := newestItems(tx, row.ID, row.ItemSeq+1, max(historyLimit, turn, 1))
		if err != nil {
			return err
		}
		if err := answerCall(tx, history, resume); err != nil {
			return err
		}
		started = chat.StartedRun{Session: toChatSession(row), History: history, TitleCut: row.titleIsCut()}
		return setRequestedModel(tx, resume.Run, history, resume.Models)
	})
	return started, err
}

// setRequestedModel stores the model that the run's message asks for.
func setRequestedModel(tx *gorm.DB, run chat.Run, history []chat.Item, offered []string) error {
	model := chat.RequestedModel(history, offered)
	if model == "" {
		return nil
	}
	return tx.Exec(`UPDATE runs SET model = ? WHERE id = ?`, model, run.ID.String()).Error
}

// answerCall gives the newest item, a call of the page's tool, its output.
func answerCall(tx *gorm.DB, history []chat.Item, resume chat.Resume) error {
	if len(history) == 0 {
		return chat.ErrNoPendingCall()
	}
	item := &history[len(history)-1]
	if item.ClientCall == nil || item.ClientCall.Output != nil {
		return chat.ErrNoPendingCall()
	}
	item.ClientCall.Output = resume.Output
	detail, err := fromChatDetail(*item)
	if err != nil {
		return err
	}
	return tx.Exec(`UPDATE items SET detail = ? WHERE id = ?`, detail, item.ID.String()).Error
}

package store

import (
	"context"

	"gorm.io/gorm"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// turnCount counts the items since the last user message, with it.
const turnCount = `SELECT count(*) FROM items WHERE session_id = ? AND superseded_at IS NULL AND position >= (
		SELECT COALESCE(max(position), 0) FROM items WHERE session_id = ? AND type = 'user_message' AND superseded_at IS NULL)`

// ResumeRun implements [chat.Store].
func (s *Store) ResumeRun(ctx context.Context, resume chat.Resume, historyLimit int) (chat.StartedRun, error) {
	var started chat.StartedRun
	err := s.db.InTransaction(ctx, "resume run", func(tx *gorm.DB) error {
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
		// The call is sent upstream with the question that it belongs to.
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

// answerCall stores the page's output in the newest item, which must be a call
// that waits for it.
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

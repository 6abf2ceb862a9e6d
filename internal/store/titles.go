package store

import (
	"context"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// The column title_position is the position of the message that the title is cut
// from. It is negative once the title is claimed or a made title has replaced it,
// and NULL for a title that the user chose. The column title_run_id has the run
// that claims the title. After the crash of a server that had claimed it, the
// message's title stays.

// SetTitle implements [chat.Store].
func (s *Store) SetTitle(ctx context.Context, userID string, id uuid.UUID, title string) (chat.Session, error) {
	var session chat.Session
	err := s.db.Do(ctx, "set title", func(ctx context.Context) error {
		db := s.db.Write(ctx)
		rows, err := readRows(db.Raw(`UPDATE sessions SET title = ?, title_position = NULL WHERE id = ? AND user_id = ?
			RETURNING `+sessionColumns, title, id.String(), userID), sessionFields)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return sessionError(db, userID, id)
		}
		session = toChatSession(rows[0])
		return nil
	})
	if err != nil {
		return chat.Session{}, err
	}
	return session, nil
}

// ClaimTitle implements [chat.Store].
func (s *Store) ClaimTitle(ctx context.Context, session, run uuid.UUID) (bool, error) {
	claimed := false
	err := s.db.Do(ctx, "claim title", func(ctx context.Context) error {
		updated := s.db.Write(ctx).Exec(`UPDATE sessions SET title_position = -ABS(title_position), title_run_id = ?
			WHERE id = ? AND (title_position > 0 OR title_position < 0 AND title_run_id = ?)`,
			run.String(), session.String(), run.String())
		claimed = updated.RowsAffected == 1
		return updated.Error
	})
	return claimed, err
}

// FinishTitle implements [chat.Store].
func (s *Store) FinishTitle(ctx context.Context, made chat.MadeTitle) error {
	return s.db.InTransaction(ctx, "finish title", func(tx *gorm.DB) error {
		// The session is locked before the run, as everywhere.
		if err := endClaim(tx, made); err != nil {
			return err
		}
		u := made.Usage
		return tx.Exec(titleUsageUpdate, u.InputTokens, u.OutputTokens, u.CachedTokens, u.ReasoningTokens, u.Cost, u.Cost,
			made.RunID.String()).Error
	})
}

const (
	// claimed is the condition that a run claims the title of a session.
	claimed          = ` WHERE id = ? AND title_position < 0 AND title_run_id = ?`
	madeTitleUpdate  = `UPDATE sessions SET title = ?, title_run_id = NULL` + claimed
	endClaimUpdate   = `UPDATE sessions SET title_position = -title_position, title_run_id = NULL` + claimed
	titleUsageUpdate = `UPDATE runs SET title_finished = true, input_tokens = input_tokens + ?, output_tokens = output_tokens + ?,
		cached_tokens = cached_tokens + ?, reasoning_tokens = reasoning_tokens + ?, cost = COALESCE(cost + ?, cost, ?)
		WHERE id = ? AND NOT title_finished`
)

func endClaim(tx *gorm.DB, made chat.MadeTitle) error {
	if made.Title == "" {
		return tx.Exec(endClaimUpdate, made.SessionID.String(), made.RunID.String()).Error
	}
	return tx.Exec(madeTitleUpdate, toText(made.Title), made.SessionID.String(), made.RunID.String()).Error
}

package store

import (
	"context"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// title_position says where a session's title is from: that is the position of
// the message that it was cut from, which is negative once another was made of
// it or somebody makes one, and NULL for the user's own. A server that dies
// while it makes one leaves the message's.

// SetTitle implements [chat.Store].
func (s *Store) SetTitle(ctx context.Context, userID string, id uuid.UUID, title string) (chat.Session, error) {
	var session chat.Session
	err := s.do(ctx, "set title", func(ctx context.Context) error {
		db := s.write.WithContext(ctx)
		rows, err := readRows(db.Raw(`UPDATE sessions SET title = ?, title_position = NULL WHERE id = ? AND user_id = ?
			RETURNING `+sessionColumns, title, id.String(), userID), sessionFields)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return whyNoSession(db, userID, id)
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
func (s *Store) ClaimTitle(ctx context.Context, id uuid.UUID) (bool, error) {
	claimed := false
	err := s.do(ctx, "claim title", func(ctx context.Context) error {
		updated := s.write.WithContext(ctx).Exec(`UPDATE sessions SET title_position = -title_position
			WHERE id = ? AND title_position > 0`, id.String())
		claimed = updated.RowsAffected == 1
		return updated.Error
	})
	return claimed, err
}

// FinishTitle implements [chat.Store].
func (s *Store) FinishTitle(ctx context.Context, made chat.MadeTitle) error {
	return s.inTransaction(ctx, "finish title", func(tx *gorm.DB) error {
		if err := endClaim(tx, made); err != nil {
			return err
		}
		return addUsage(tx, made.RunID, made.Usage)
	})
}

func endClaim(tx *gorm.DB, made chat.MadeTitle) error {
	if made.Title == "" {
		return tx.Exec(`UPDATE sessions SET title_position = -title_position WHERE id = ? AND title_position < 0`,
			made.SessionID.String()).Error
	}
	return tx.Exec(`UPDATE sessions SET title = ? WHERE id = ? AND title_position < 0`,
		toText(made.Title), made.SessionID.String()).Error
}

// addUsage adds to what a run used. A cost that was not told adds nothing.
func addUsage(tx *gorm.DB, run uuid.UUID, more chat.Usage) error {
	err := tx.Exec(`UPDATE runs SET input_tokens = input_tokens + ?, output_tokens = output_tokens + ?,
			cached_tokens = cached_tokens + ?, reasoning_tokens = reasoning_tokens + ? WHERE id = ?`,
		more.InputTokens, more.OutputTokens, more.CachedTokens, more.ReasoningTokens, run.String()).Error
	if err != nil || more.Cost == nil {
		return err
	}
	return tx.Exec(`UPDATE runs SET cost = COALESCE(cost, 0) + ? WHERE id = ?`, *more.Cost, run.String()).Error
}

package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database"
)

// insertRun stores a run. A running run of the session whose lease is over is
// marked as failed; one whose lease is not over prevents the new one.
func insertRun(tx *gorm.DB, run chat.Run) error {
	inserted, err := tryInsertRun(tx, run)
	if err != nil || inserted {
		return err
	}
	expired := tx.Exec(leasesOf(tx).failExpired, append(failedArgs(), run.SessionID.String())...)
	if expired.Error != nil {
		return expired.Error
	}
	if expired.RowsAffected == 0 {
		return runInProgress(tx, run.SessionID)
	}
	inserted, err = tryInsertRun(tx, run)
	if err == nil && !inserted {
		return runInProgress(tx, run.SessionID)
	}
	return err
}

// runInProgress returns chat.ErrRunInProgress with the running run of a session.
// It is always an error. The id is zero where the run ends at this moment.
func runInProgress(tx *gorm.DB, session uuid.UUID) error {
	running, err := readRows(tx.Raw(`SELECT id FROM runs WHERE session_id = ? AND status = 'running'`, session.String()),
		func(id *uuid.UUID) []any { return []any{id} })
	if err != nil {
		return err
	}
	if len(running) == 0 {
		return chat.ErrRunInProgress(uuid.Nil)
	}
	return chat.ErrRunInProgress(running[0])
}

func tryInsertRun(tx *gorm.DB, run chat.Run) (bool, error) {
	inserted := tx.Exec(leasesOf(tx).insertRun, runArgs(run)...)
	return inserted.RowsAffected == 1, inserted.Error
}

const runColumns = `id, session_id, status, model, upstream_id, started_at, first_token_at, ended_at,
		input_tokens, output_tokens, cached_tokens, reasoning_tokens, cost, failure_code, failure_reason, finish_reason, owner,
		lease_until`

// runArgsBeforeLease is the number of values of runColumns before lease_until.
const runArgsBeforeLease = 17

// runArgs are the values of runColumns. The last one is the lease's length,
// which a statement adds to the present time of the database.
func runArgs(run chat.Run) []any {
	return []any{
		run.ID.String(), run.SessionID.String(), string(run.Status), toText(run.Model), toText(run.UpstreamID),
		toMicros(run.StartedAt), toMicrosOrNull(run.FirstTokenAt), toMicrosOrNull(run.EndedAt),
		run.Usage.InputTokens, run.Usage.OutputTokens, run.Usage.CachedTokens, run.Usage.ReasoningTokens, run.Usage.Cost,
		string(run.FailureCode), toText(run.FailureReason), run.FinishReason, run.Owner.String(),
		run.Lease.Microseconds(),
	}
}

// FinishRun implements [chat.Store].
func (s *Store) FinishRun(ctx context.Context, run chat.Run, items []chat.Item) (chat.Session, error) {
	var session chat.Session
	err := s.db.Do(ctx, "finish run", func(ctx context.Context) (err error) {
		if s.db.Driver() == database.PostgreSQL && len(items) == 1 && items[0].Type.IsMessage() {
			var stored bool
			session, stored, err = finishRunPostgres(s.db.Write(ctx), run, items[0])
			if stored || err != nil && !isUniqueViolation(err) {
				return err
			}
		}
		return s.db.Transact(ctx, func(tx *gorm.DB) error {
			session, err = finishRun(tx, run, items)
			return err
		})
	})
	if err != nil {
		return chat.Session{}, err
	}
	return session, nil
}

func finishRun(tx *gorm.DB, run chat.Run, items []chat.Item) (chat.Session, error) {
	finished, err := isFinished(tx, run)
	if err != nil {
		return chat.Session{}, err
	}
	if !finished && len(items) > 0 {
		// The session is locked before the run, as everywhere.
		if err := addItems(tx, run, items); err != nil {
			return chat.Session{}, err
		}
	}
	if !finished {
		err = tx.Exec(finishUpdate, append(runEndArgs(run), run.ID.String())...).Error
	}
	if err != nil {
		return chat.Session{}, err
	}
	return sessionOf(tx, run.SessionID)
}

// isFinished reports whether the end of a run is stored. Returns
// chat.ErrSessionNotFound if the run is not stored.
func isFinished(tx *gorm.DB, run chat.Run) (bool, error) {
	rows, err := readRows(tx.Raw(`SELECT finished FROM runs WHERE id = ? AND session_id = ?`, run.ID.String(), run.SessionID.String()),
		func(finished *bool) []any { return []any{finished} })
	if err != nil {
		return false, err
	}
	if len(rows) == 0 {
		return false, chat.ErrSessionNotFound() // Runs are deleted with their session only.
	}
	return rows[0], nil
}

// AddItems implements [chat.Store].
func (s *Store) AddItems(ctx context.Context, run chat.Run, items []chat.Item) error {
	return s.db.InTransaction(ctx, "add items", func(tx *gorm.DB) error {
		return addItems(tx, run, items)
	})
}

const (
	touchUpdate = `UPDATE sessions SET updated_at = CASE WHEN updated_at > ? THEN updated_at ELSE ? END WHERE id = ?`
	countUpdate = `UPDATE sessions SET item_seq = item_seq + ?, message_count = message_count + ? WHERE id = ?`
)

// addItems stores those of the items that are not stored yet. It locks the
// session's row.
func addItems(tx *gorm.DB, run chat.Run, items []chat.Item) error {
	at := touchedAt(run, items[len(items)-1])
	rows, err := readRows(tx.Raw(touchUpdate+` RETURNING `+sessionColumns, at, at, run.SessionID.String()), sessionFields)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return chat.ErrSessionNotFound()
	}
	added, messages := int64(0), 0
	for _, item := range items {
		inserted, err := insertItem(tx, item, rows[0].ItemSeq+added+1)
		if err != nil {
			return err
		}
		if inserted {
			added++
		}
		if inserted && item.Type.IsMessage() {
			messages++
		}
	}
	if added == 0 {
		return nil
	}
	return tx.Exec(countUpdate, added, messages, run.SessionID.String()).Error
}

// SaveItem implements [chat.Store].
func (s *Store) SaveItem(ctx context.Context, item chat.Item) error {
	return s.db.Do(ctx, "save item", func(ctx context.Context) error {
		calls, err := fromChatToolCalls(item.ToolCalls)
		if err != nil {
			return fmt.Errorf("encode tool calls: %w", err)
		}
		detail, err := fromChatDetail(item)
		if err != nil {
			return fmt.Errorf("encode detail: %w", err)
		}
		updated := s.db.Write(ctx).Exec(`UPDATE items SET tool_calls = ?, detail = ? WHERE id = ? AND session_id = ?`,
			calls, detail, item.ID.String(), item.SessionID.String())
		if updated.Error == nil && updated.RowsAffected == 0 {
			return chat.ErrSessionNotFound() // Items are deleted with their session only.
		}
		return updated.Error
	})
}

// countItemUpdate counts a message and reserves its position.
const countItemUpdate = `UPDATE sessions SET
		item_seq = item_seq + 1,
		message_count = message_count + 1,
		updated_at = CASE WHEN updated_at > ? THEN updated_at ELSE ? END
		WHERE id = ?`

func countItemArgs(run chat.Run, item chat.Item) []any {
	at := touchedAt(run, item)
	return []any{at, at, run.SessionID.String()}
}

// touchedAt is the time of update that an item gives its session, in
// microseconds.
func touchedAt(run chat.Run, item chat.Item) int64 {
	if run.EndedAt.After(item.CreatedAt) {
		return toMicros(run.EndedAt)
	}
	return toMicros(item.CreatedAt)
}

const (
	// A run that CancelRun cancelled keeps its status, its end and the reason.
	runEndSet = `finished = true,
		status = CASE WHEN status = 'cancelled' THEN status ELSE ? END,
		failure_code = CASE WHEN status = 'cancelled' THEN failure_code ELSE ? END,
		failure_reason = CASE WHEN status = 'cancelled' THEN failure_reason ELSE ? END,
		ended_at = CASE WHEN status = 'cancelled' THEN ended_at ELSE ? END,
		model = ?, upstream_id = ?, first_token_at = ?, finish_reason = ?,
		input_tokens = ?, output_tokens = ?, cached_tokens = ?, reasoning_tokens = ?, cost = ?`
	finishUpdate = `UPDATE runs SET ` + runEndSet + ` WHERE id = ? AND NOT finished`
)

// runEndArgs are the values of runEndSet.
func runEndArgs(run chat.Run) []any {
	return []any{
		string(run.Status), string(run.FailureCode), toText(run.FailureReason), toMicrosOrNull(run.EndedAt),
		toText(run.Model), toText(run.UpstreamID), toMicrosOrNull(run.FirstTokenAt), run.FinishReason,
		run.Usage.InputTokens, run.Usage.OutputTokens, run.Usage.CachedTokens, run.Usage.ReasoningTokens, run.Usage.Cost,
	}
}

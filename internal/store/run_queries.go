package store

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database"
)

// runStatements are the statements that read runs. The first arguments of one,
// first and next are the session, for chat.RunWaiting, and those of ownSession.
type runStatements struct {
	// one has the run as its last argument.
	one string
	// first has the limit, and next before it the time and the id of the last
	// run of the page before.
	first, next string
	// active returns the running run and the waiting one. Its arguments are
	// those of ownSession, twice, and the session.
	active string
}

var (
	postgresRuns = newRunStatements(postgresNow, `detail #> '{client_call,output}'`)
	sqliteRuns   = newRunStatements(sqliteNow, `detail -> '$.client_call.output'`)
)

const (
	// ownSession is the condition that a run is of a user's session. Its arguments
	// are the session and the user.
	ownSession = `session_id = (SELECT id FROM sessions WHERE id = ? AND user_id = ?)`
	runAfter   = ` AND (started_at, id) < (?, ?)`
	runOrder   = ` ORDER BY started_at DESC, id DESC LIMIT CAST(? AS bigint)`
	// cancelUpdate has the arguments of the failure, the time twice, the run, and
	// those of ownSession. A run ends no earlier than it started.
	cancelUpdate = `UPDATE runs SET status = 'cancelled', failure_code = ?, failure_reason = ?,
		ended_at = CASE WHEN started_at > ? THEN started_at ELSE ? END
		WHERE id = ? AND ` + ownSession + ` AND status = 'running' RETURNING `
)

// newRunStatements writes the statements for a database. Output selects the
// output of an item's client tool call; it is NULL while the call waits for it.
func newRunStatements(now, output string) runStatements {
	// The newest item alone decides, as in answerCall.
	waiting := `status = 'completed' AND id = (
		SELECT CASE WHEN type = 'client_tool_call' AND ` + output + ` IS NULL THEN run_id END
		FROM items WHERE session_id = ? AND superseded_at IS NULL ORDER BY position DESC LIMIT 1)`
	read := `SELECT ` + runColumnsRead(`CASE WHEN `+waiting+` THEN 'waiting' ELSE status END`) + ` FROM runs WHERE ` + ownSession
	return runStatements{
		one:   read + ` AND id = ?`,
		first: read + runOrder,
		next:  read + runAfter + runOrder,
		active: `SELECT ` + runColumnsRead(`status`) + ` FROM runs
			WHERE ` + ownSession + ` AND status = 'running' AND lease_until >= ` + now + `
			UNION ALL SELECT ` + runColumnsRead(`'waiting'`) + ` FROM runs WHERE ` + ownSession + ` AND ` + waiting,
	}
}

// runColumnsRead are the columns of runFields.
func runColumnsRead(status string) string {
	return `id, session_id, ` + status + `, model, upstream_id, started_at, first_token_at, ended_at,
		input_tokens, output_tokens, cached_tokens, reasoning_tokens, cost, failure_code, failure_reason, finish_reason, owner`
}

// runStatementsOf returns the statements for a handle's database.
func runStatementsOf(db *gorm.DB) runStatements {
	if database.Driver(db.Name()) == database.PostgreSQL {
		return postgresRuns
	}
	return sqliteRuns
}

// Run implements [chat.Store].
func (s *Store) Run(ctx context.Context, ref chat.RunRef) (chat.Run, error) {
	var run chat.Run
	err := s.db.Do(ctx, "read run", func(ctx context.Context) (err error) {
		run, err = readRun(s.db.Read(ctx), ref)
		return err
	})
	return run, err
}

func readRun(db *gorm.DB, ref chat.RunRef) (chat.Run, error) {
	id := ref.SessionID.String()
	rows, err := readRows(db.Raw(runStatementsOf(db).one, id, id, ref.UserID, ref.RunID.String()), runFields)
	if err != nil {
		return chat.Run{}, err
	}
	if len(rows) == 0 {
		return chat.Run{}, runError(db, ref.UserID, ref.SessionID)
	}
	return toChatRun(rows[0]), nil
}

// runError returns the reason why a query found no run of a user's session. It
// is always an error.
func runError(db *gorm.DB, userID string, session uuid.UUID) error {
	if _, err := readSession(db, userID, session); err != nil {
		return err
	}
	return chat.ErrRunNotFound()
}

// ActiveRun implements [chat.Store]. One statement reads the running and the
// waiting run, so that it misses none of two that follow each other.
func (s *Store) ActiveRun(ctx context.Context, userID string, session uuid.UUID) (*chat.Run, error) {
	var active *chat.Run
	err := s.db.Do(ctx, "read active run", func(ctx context.Context) error {
		db, id := s.db.Read(ctx), session.String()
		rows, err := readRows(db.Raw(runStatementsOf(db).active, id, userID, id, userID, id), runFields)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			_, err := readSession(db, userID, session)
			return err
		}
		running := slices.IndexFunc(rows, func(row runRow) bool { return row.Run.Status == chat.RunRunning })
		run := toChatRun(rows[max(running, 0)])
		active = &run
		return nil
	})
	return active, err
}

// ListRuns implements [chat.Store].
func (s *Store) ListRuns(ctx context.Context, userID string, session uuid.UUID, q chat.RunQuery) (chat.RunPage, error) {
	var page chat.RunPage
	err := s.db.Do(ctx, "list runs", func(ctx context.Context) error {
		db := s.db.Read(ctx)
		q.Limit = max(q.Limit, 0)
		statement, args, err := runPageStatement(db, userID, session, q)
		if err != nil {
			return err
		}
		rows, err := readRows(db.Raw(statement, args...), runFields)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			_, err := readSession(db, userID, session)
			return err
		}
		page.HasMore = len(rows) > q.Limit
		for _, row := range rows[:min(len(rows), q.Limit)] {
			page.Runs = append(page.Runs, toChatRun(row))
		}
		return nil
	})
	return page, err
}

// runPageStatement selects one run more than the page holds, which shows whether
// there is another page.
func runPageStatement(db *gorm.DB, userID string, session uuid.UUID, q chat.RunQuery) (string, []any, error) {
	id := session.String()
	args := []any{id, id, userID}
	if q.After == nil {
		return runStatementsOf(db).first, append(args, q.Limit+1), nil
	}
	after := q.After.String()
	startedAt, err := readRows(db.Raw(`SELECT started_at FROM runs WHERE session_id = ? AND id = ?`, id, after),
		func(micros *int64) []any { return []any{micros} })
	if err == nil && len(startedAt) == 0 {
		err = runError(db, userID, session)
	}
	if err != nil {
		return "", nil, err
	}
	return runStatementsOf(db).next, append(args, startedAt[0], after, q.Limit+1), nil
}

// CancelRun implements [chat.Store].
func (s *Store) CancelRun(ctx context.Context, ref chat.RunRef, at time.Time) (chat.Run, error) {
	var run chat.Run
	err := s.db.Do(ctx, "cancel run", func(ctx context.Context) error {
		db, micros := s.db.Write(ctx), toMicros(at)
		rows, err := readRows(db.Raw(cancelUpdate+runColumnsRead(`status`), string(chat.FailureCancelled), chat.ReasonCancelled,
			micros, micros, ref.RunID.String(), ref.SessionID.String(), ref.UserID), runFields)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			run, err = readRun(db, ref)
			return err
		}
		run = toChatRun(rows[0])
		return nil
	})
	return run, err
}

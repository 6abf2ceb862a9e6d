package store

import (
	"errors"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// Each statement costs PostgreSQL a round trip, and a transaction two more. The
// start and the end of a run are therefore one statement each. Where a unique
// index refuses such a statement, nothing is stored, and the caller runs the
// transaction that SQLite uses, which handles every case.

// uniqueViolation is an SQLSTATE (PostgreSQL documentation, appendix A).
const uniqueViolation = "23505"

func isUniqueViolation(err error) bool {
	failure, ok := errors.AsType[*pgconn.PgError](err)
	return ok && failure.Code == uniqueViolation
}

//nolint:unqueryvet // the columns are named within
const startRunStatement = `WITH session AS (` + countMessageUpdate + `), run AS (
		INSERT INTO runs (` + runColumns + `) SELECT ?, session.id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ` + postgresNow + ` + ? FROM session
	), message AS (
		INSERT INTO items (` + itemInsertColumns + `) SELECT session.id, session.item_seq, ?, ?, ?, ?, ?, ?, ? FROM session
	)
	SELECT session.*, history.* FROM session LEFT JOIN LATERAL (
		SELECT position, ` + itemColumns + ` FROM items WHERE items.session_id = session.id AND superseded_at IS NULL
		ORDER BY position DESC LIMIT CAST(? AS bigint)
	) history ON true`

// startRow is the session with an item of its history. Where it has none, there
// is one row, whose item's columns are NULL.
type startRow struct {
	Session  sessionRow
	Position *int64
	ID       uuid.NullUUID
	RunID    uuid.NullUUID
	Type     *string
	// Content, ToolCalls and Detail are JSON.
	Content   []byte
	ToolCalls []byte
	Detail    []byte
	CreatedAt *int64
}

func startFields(r *startRow) []any {
	return append(sessionFields(&r.Session), &r.Position, &r.ID, &r.RunID, &r.Type, &r.Content, &r.ToolCalls, &r.Detail, &r.CreatedAt)
}

func (r *startRow) item() itemRow {
	return itemRow{
		ID: r.ID.UUID, RunID: r.RunID.UUID, Type: *r.Type, Content: r.Content, ToolCalls: r.ToolCalls, Detail: r.Detail,
		CreatedAt: *r.CreatedAt,
	}
}

// startRunPostgres is startRun in one statement. Returns a unique violation where
// the thread has a running run.
func startRunPostgres(db *gorm.DB, start chat.NewRun, historyLimit int) (chat.StartedRun, error) {
	message, err := itemArgs(start.Message)
	if err != nil {
		return chat.StartedRun{}, err
	}
	args := slices.Concat(countMessageArgs(start), withoutSecond(runArgs(start.Run)), message, []any{max(historyLimit, 0)})
	rows, err := readRows(db.Raw(startRunStatement, args...), startFields)
	if err != nil {
		return chat.StartedRun{}, err
	}
	if len(rows) == 0 {
		return chat.StartedRun{}, sessionError(db, start.UserID, start.Run.SessionID)
	}
	history, err := historyOf(db, rows, historyLimit)
	if err != nil {
		return chat.StartedRun{}, errors.Join(err, abandonRun(db, start.Run))
	}
	return newStartedRun(rows[0].Session, history), nil
}

// abandonRun marks a run as failed that is stored, with its message, but whose
// history cannot be read.
func abandonRun(db *gorm.DB, run chat.Run) error {
	return db.Exec(`UPDATE runs SET status = 'failed', ended_at = started_at, failure_code = ?, failure_reason = ?
		WHERE id = ? AND status = 'running'`,
		string(chat.FailureInternal), "The history could not be read.", run.ID.String()).Error
}

// withoutSecond leaves out the second column of a run or of a session, the id of
// its session or user, which the statement selects.
func withoutSecond(args []any) []any { return slices.Delete(args, 1, 2) }

// historyOf returns the items of the rows, which are newest first. A statement
// reads the state at its beginning. If it then waited for the lock of the
// session's row, an item may be missing: then the history is read again.
func historyOf(db *gorm.DB, rows []startRow, limit int) ([]chat.Item, error) {
	session := rows[0].Session
	if limit <= 0 || session.ItemSeq == 1 {
		return nil, nil
	}
	if newest := rows[0].Position; newest == nil || *newest != session.ItemSeq-1 {
		return newestItems(db, session.ID, session.ItemSeq, limit)
	}
	items := make([]itemRow, len(rows))
	for n := range rows {
		items[len(rows)-1-n] = rows[n].item()
	}
	return toChatItems(session.ID, items)
}

// The update of the run joins that of the session, so that the session is locked
// first, as everywhere.
//
//nolint:unqueryvet // the columns are named within
const finishRunStatement = `WITH session AS (` + countItemUpdate + `
		AND EXISTS (SELECT FROM runs WHERE runs.id = ? AND runs.session_id = sessions.id AND NOT finished) RETURNING ` + sessionColumns + `
	), run AS (
		UPDATE runs SET ` + runEndSet + ` FROM session WHERE runs.id = ? AND runs.session_id = session.id
	), message AS (
		INSERT INTO items (` + itemInsertColumns + `) SELECT session.id, session.item_seq, ?, ?, ?, ?, ?, ?, ? FROM session
	)
	SELECT session.* FROM session`

// finishRunPostgres is finishRun in one statement, for a run that made one
// message. It stores nothing and returns false where the run is finished or not
// stored.
func finishRunPostgres(db *gorm.DB, run chat.Run, item chat.Item) (session chat.Session, stored bool, err error) {
	message, err := itemArgs(item)
	if err != nil {
		return chat.Session{}, false, err
	}
	id := []any{run.ID.String()}
	args := slices.Concat(countItemArgs(run, item), id, runEndArgs(run), id, message)
	rows, err := readRows(db.Raw(finishRunStatement, args...), sessionFields)
	if err != nil || len(rows) == 0 {
		return chat.Session{}, false, err
	}
	return toChatSession(rows[0]), true, nil
}

const startThreadStatement = `WITH counted AS (` + countSession + ` RETURNING id), session AS (
		INSERT INTO sessions (` + sessionColumns + `) SELECT ?, counted.id, NULLIF(?, ''), ?, ?, ?, ?, ? FROM counted RETURNING id
	), run AS (
		INSERT INTO runs (` + runColumns + `) SELECT ?, session.id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ` + postgresNow + ` + ? FROM session
	), message AS (
		INSERT INTO items (` + itemInsertColumns + `) SELECT session.id, ?, ?, ?, ?, ?, ?, ?, ? FROM session
	)
	SELECT count(*) FROM session`

// startThreadPostgres is startThread in one statement.
func startThreadPostgres(db *gorm.DB, session chat.Session, maxPerUser int, start chat.NewRun) error {
	message, err := itemArgs(start.Message)
	if err != nil {
		return err
	}
	args := slices.Concat(
		[]any{session.UserID, maxPerUser}, withoutSecond(sessionArgs(session)), withoutSecond(runArgs(start.Run)),
		[]any{firstPosition}, message,
	)
	made, err := readNumber(db.Raw(startThreadStatement, args...))
	if err == nil && made == 0 {
		err = chat.ErrSessionLimit(maxPerUser)
	}
	return err
}

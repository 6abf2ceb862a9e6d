package store

import (
	"errors"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// PostgreSQL is a round trip away for each statement, and two more for a
// transaction, so the writes of a run are one statement each. What stands
// in their way is a unique index; then nothing is done, and the transaction
// that SQLite uses finds out what to do.

// uniqueViolation is an SQLSTATE (PostgreSQL documentation, appendix A).
const uniqueViolation = "23505"

func isUniqueViolation(err error) bool {
	failure, ok := errors.AsType[*pgconn.PgError](err)
	return ok && failure.Code == uniqueViolation
}

//nolint:unqueryvet // the columns are named within
const startAtOnce = `WITH session AS (` + countMessageUpdate + `), run AS (
		INSERT INTO runs (` + runColumns + `) SELECT ?, session.id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ` + postgresNow + ` + ? FROM session
	), message AS (
		INSERT INTO items (` + itemInsertColumns + `) SELECT session.id, session.item_seq, ?, ?, ?, ?, ?, ?, ? FROM session
	)
	SELECT session.*, history.* FROM session LEFT JOIN LATERAL (
		SELECT position, ` + itemColumns + ` FROM items WHERE items.session_id = session.id AND superseded_at IS NULL
		ORDER BY position DESC LIMIT CAST(? AS bigint)
	) history ON true`

// startRow is the session with an item of its history; without one the item's
// columns are NULL.
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

// startRunAtOnce is startRun in one statement.
func startRunAtOnce(db *gorm.DB, start chat.NewRun, historyLimit int) (chat.StartedRun, error) {
	message, err := itemArgs(start.Message)
	if err != nil {
		return chat.StartedRun{}, err
	}
	args := slices.Concat(countMessageArgs(start), withoutSecond(runArgs(start.Run)), message, []any{max(historyLimit, 0)})
	rows, err := readRows(db.Raw(startAtOnce, args...), startFields)
	if err != nil {
		return chat.StartedRun{}, err
	}
	if len(rows) == 0 {
		return chat.StartedRun{}, whyNoSession(db, start.UserID, start.Run.SessionID)
	}
	history, err := historyOf(db, rows, historyLimit)
	if err != nil {
		return chat.StartedRun{}, errors.Join(err, abandonRun(db, start.Run))
	}
	return newStartedRun(rows[0].Session, history), nil
}

// abandonRun ends a run that is stored, with its message, and yet cannot start.
func abandonRun(db *gorm.DB, run chat.Run) error {
	return db.Exec(`UPDATE runs SET status = 'failed', ended_at = started_at, failure_code = ?, failure_reason = ? WHERE id = ?`,
		string(chat.FailureInternal), "The history could not be read.", run.ID.String()).Error
}

// withoutSecond leaves out the id of what a row belongs to, which the statement
// knows: the second column of a run and of a session.
func withoutSecond(args []any) []any { return slices.Delete(args, 1, 2) }

// historyOf is the items of the rows, which come newest first. The statement
// saw them as they were when it began; if it then waited for the session's
// row, an item may have come meanwhile.
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

// The run's update joins the session's, which is how all others lock the two:
// the session first.
//
//nolint:unqueryvet // the columns are named within
const finishAtOnce = `WITH session AS (` + countAnswerUpdate + `
		AND EXISTS (SELECT FROM runs WHERE runs.id = ? AND runs.session_id = sessions.id AND NOT finished) RETURNING ` + sessionColumns + `
	), run AS (
		UPDATE runs SET ` + runEndSet + ` FROM session WHERE runs.id = ? AND runs.session_id = session.id
	), message AS (
		INSERT INTO items (` + itemInsertColumns + `) SELECT session.id, session.item_seq, ?, ?, ?, ?, ?, ?, ? FROM session
	)
	SELECT session.* FROM session`

// finishRunAtOnce is finishRun, of a run that made a message, in one statement.
// It stores nothing and returns false where the run is finished or not stored.
func finishRunAtOnce(db *gorm.DB, run chat.Run, item chat.Item) (session chat.Session, stored bool, err error) {
	message, err := itemArgs(item)
	if err != nil {
		return chat.Session{}, false, err
	}
	id := []any{run.ID.String()}
	args := slices.Concat(countAnswerArgs(run, item), id, runEndArgs(run), id, message)
	rows, err := readRows(db.Raw(finishAtOnce, args...), sessionFields)
	if err != nil || len(rows) == 0 {
		return chat.Session{}, false, err
	}
	return toChatSession(rows[0]), true, nil
}

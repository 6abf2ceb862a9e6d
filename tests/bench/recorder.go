package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
)

// sessionHeader names the session to the recording proxy.
const sessionHeader = "X-Session"

// recorder runs, around a request, the statements with which the server
// records a run: the least that any server must spend that loses no message.
type recorder struct {
	db                      *sql.DB
	count, run, item, ended *sql.Stmt
	history                 *sql.Stmt
}

const (
	countStatement = `UPDATE sessions SET item_seq = item_seq + 1, message_count = message_count + 1, updated_at = ?
		WHERE id = ? RETURNING item_seq`
	runStatement = `INSERT INTO runs (id, session_id, status, model, upstream_id, started_at, input_tokens, output_tokens,
		cached_tokens, reasoning_tokens, failure_code, failure_reason, owner, lease_until)
		VALUES (?, ?, 'running', 'bench/model', '', ?, 0, 0, 0, 0, '', '', ?, 0)`
	itemStatement = `INSERT INTO items (session_id, position, id, run_id, type, content, created_at)
		VALUES (?, ?, ?, ?, ?, '[{"type":"text","text":"The text of a message."}]', ?)`
	endedStatement   = `UPDATE runs SET status = 'completed', ended_at = ?, output_tokens = 34 WHERE id = ?`
	historyStatement = `SELECT id, content FROM items WHERE session_id = ? AND position < ? ORDER BY position DESC
		LIMIT CAST(? AS bigint)`
	historyLength = 40
)

func newRecorder(ctx context.Context, databaseURL string) (*recorder, error) {
	e, conns := engineOf(databaseURL), handlerConns
	if e == sqlite {
		conns = 1 // one writer
	}
	db, err := openDatabase(ctx, databaseURL, conns)
	if err != nil {
		return nil, err
	}
	r := &recorder{db: db}
	for text, to := range map[string]**sql.Stmt{
		countStatement: &r.count, runStatement: &r.run, itemStatement: &r.item, endedStatement: &r.ended,
		historyStatement: &r.history,
	} {
		*to, err = db.PrepareContext(ctx, rebind(e, text)) //nolint:sqlclosecheck // they go with db
		if err != nil {
			return nil, errors.Join(fmt.Errorf("prepare: %w", err), db.Close())
		}
	}
	return r, nil
}

// around records a run before and after its answer.
func (r *recorder) around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		session, run := request.Header.Get(sessionHeader), uuid.Must(uuid.NewV7()).String()
		if err := r.record(session, run, true); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		next.ServeHTTP(w, request)
		_ = r.record(session, run, false) // The answer is out; the next one of the session would fail.
	})
}

// record stores the start of a run with its message, or its end with the
// answer.
func (r *recorder) record(session, run string, starts bool) error {
	ctx, now := context.Background(), time.Now().UnixMicro()
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	var position int
	//nolint:sqlclosecheck // the transaction's end closes it
	err = within(ctx, tx, r.count).QueryRowContext(ctx, now, session).Scan(&position)
	if err != nil {
		return fmt.Errorf("count: %w", err)
	}
	kind, statement, args := "assistant_message", r.ended, []any{now, run}
	if starts {
		kind, statement, args = "user_message", r.run, []any{run, session, now, run}
	}
	_, err = within(ctx, tx, statement).ExecContext(ctx, args...) //nolint:sqlclosecheck // as above
	if err != nil {
		return fmt.Errorf("run: %w", err)
	}
	id := uuid.Must(uuid.NewV7()).String()
	//nolint:sqlclosecheck // as above
	_, err = within(ctx, tx, r.item).ExecContext(ctx, session, position, id, run, kind, now)
	if err != nil {
		return fmt.Errorf("item: %w", err)
	}
	if starts {
		if err := r.readHistory(ctx, tx, session, position); err != nil {
			return fmt.Errorf("history: %w", err)
		}
	}
	return tx.Commit()
}

// within is a statement in a transaction, whose end closes it.
func within(ctx context.Context, tx *sql.Tx, statement *sql.Stmt) *sql.Stmt {
	return tx.StmtContext(ctx, statement)
}

func (r *recorder) readHistory(ctx context.Context, tx *sql.Tx, session string, position int) error {
	//nolint:sqlclosecheck // as above
	rows, err := within(ctx, tx, r.history).QueryContext(ctx, session, position, historyLength)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	for rows.Next() {
		var id, content string
		if err := rows.Scan(&id, &content); err != nil {
			return err
		}
	}
	return rows.Err()
}

// startRecorder starts the proxy with a database of its own.
func (l *lab) startRecorder(ctx context.Context, e engine) (*way, error) {
	databaseURL, err := l.newDatabase(ctx, e)
	if err != nil {
		return nil, err
	}
	p, err := startRole(ctx, proxyRole, upstreamVariable+"=http://"+l.upstream.address, databaseVariable+"="+databaseURL)
	if err != nil {
		return nil, err
	}
	bare := proxyWay(p)
	return &way{
		name: "bare proxy that records, " + string(e), process: p,
		requests: func(ctx context.Context, n int, a answer) ([][]byte, error) {
			sessions, err := makeSessions(ctx, databaseURL, n)
			if err != nil {
				return nil, err
			}
			requests, err := bare.requests(ctx, n, a)
			for i := range requests {
				requests[i] = withHeader(requests[i], sessionHeader+": "+sessions[i])
			}
			return requests, err
		},
	}, nil
}

// makeSessions stores sessions, each of a user of its own.
func makeSessions(ctx context.Context, databaseURL string, n int) ([]string, error) {
	db, err := openDatabase(ctx, databaseURL, 1)
	if err != nil {
		return nil, err
	}
	e, sessions := engineOf(databaseURL), make([]string, n)
	for i := range sessions {
		sessions[i] = uuid.NewString()
		_, err = db.ExecContext(ctx, rebind(e, `INSERT INTO users (id, session_count) VALUES (?, 1)`), sessions[i])
		if err == nil {
			_, err = db.ExecContext(ctx, rebind(e, `INSERT INTO sessions (id, user_id, created_at, updated_at) VALUES (?, ?, 1, 1)`),
				sessions[i], sessions[i])
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("make a session: %w", err), db.Close())
		}
	}
	return sessions, db.Close()
}

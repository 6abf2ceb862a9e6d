package store_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database/databasetest"
)

// A start that waited for the lock of its session's row returns the answer that
// was stored meanwhile. Its statement, which began before, does not read it.
func TestHistoryOfAStartThatWaited(t *testing.T) {
	t.Parallel()
	c := databasetest.PostgreSQL(t)
	s, db := open(t, c), databasetest.OpenSQL(t, c)
	session := createSession(t, s, "alice")
	first := startRun(t, s, session)
	id, run := session.ID.String(), first.Run.ID.String()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`UPDATE sessions SET item_seq = item_seq + 1, message_count = message_count + 1`,
		`UPDATE runs SET status = 'completed'`,
		`INSERT INTO items (session_id, position, id, run_id, type, content, created_at) VALUES ('` + id + `', 2, '` +
			uuid.NewString() + `', '` + run + `', 'assistant_message', '[{"type":"output_text","text":"an answer"}]', 5)`,
	} {
		if _, err := tx.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	next := first
	next.Run.ID, next.Message.ID = uuid.New(), uuid.New()
	next.Message.RunID = next.Run.ID
	started, failed := make(chan chat.StartedRun, 1), make(chan error, 1)
	go func() {
		result, err := s.StartRun(t.Context(), next, 5)
		failed <- err
		started <- result
	}()
	awaitLock(t, db)
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	if history := (<-started).History; len(history) != 2 || history[1].Text() != "an answer" {
		t.Errorf("the history is %+v", history)
	}
}

// awaitLock waits until a connection to this database waits for a lock.
func awaitLock(t *testing.T, db *sql.DB) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		var waiting int
		err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
		if waiting > 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the start does not wait")
		}
	}
}

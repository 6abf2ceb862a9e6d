package store_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/store"
)

// While somebody reads an old state SQLite's log must grow; then it is emptied,
// though nothing is written any more.
func TestLogIsKeptShort(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "chatkit.db")
	s := open(t, store.Config{Driver: store.SQLite, Path: path})
	now := time.Now()
	session := chat.Session{ID: uuid.New(), UserID: "alice", CreatedAt: now, UpdatedAt: now}
	if err := s.CreateSession(t.Context(), session, 1); err != nil {
		t.Fatal(err)
	}
	release := readOldState(t, path)
	run := chat.Run{ID: uuid.New(), SessionID: session.ID}
	text := strings.Repeat("long ", 1<<20)
	for range 16 {
		item := chat.Item{
			ID: uuid.New(), SessionID: session.ID, RunID: run.ID, Type: chat.ItemAssistantMessage, CreatedAt: now,
			Content: []chat.Content{{Type: chat.ContentOutputText, Text: text}},
		}
		if err := s.AddItems(t.Context(), run, []chat.Item{item}); err != nil {
			t.Fatal(err)
		}
	}
	if size := logSize(t, path); size < 64<<20 {
		t.Fatalf("the log has %d bytes, too few for this test", size)
	}
	release()
	for deadline := time.Now().Add(20 * time.Second); logSize(t, path) > 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the log still has %d bytes", logSize(t, path))
		}
	}
	if _, items, err := s.SessionWithItems(t.Context(), "alice", session.ID); err != nil || len(items) != 16 {
		t.Errorf("%d items, error %v", len(items), err)
	}
}

// readOldState reads the database as it is now until release is called.
func readOldState(t *testing.T, path string) (release func()) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	tx, err := db.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := tx.QueryRowContext(t.Context(), "SELECT count(*) FROM sessions").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return func() { _ = tx.Rollback() }
}

func logSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

package database_test

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
	"github.com/chatkit-rest/chatkit-rest/internal/store/database"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database/databasetest"
)

// write stores n items of the given size in a new session.
func write(t *testing.T, s *store.Store, user string, n, size int) uuid.UUID {
	t.Helper()
	now := time.Now()
	session := chat.Session{ID: uuid.New(), UserID: user, CreatedAt: now, UpdatedAt: now}
	if err := s.CreateSession(t.Context(), session, 1); err != nil {
		t.Fatal(err)
	}
	run := chat.Run{ID: uuid.New(), SessionID: session.ID}
	text := strings.Repeat("x", size)
	for range n {
		item := chat.Item{
			ID: uuid.New(), SessionID: session.ID, RunID: run.ID, Type: chat.ItemAssistantMessage, CreatedAt: now,
			Content: []chat.Content{{Type: chat.ContentOutputText, Text: text}},
		}
		if err := s.AddItems(t.Context(), run, []chat.Item{item}); err != nil {
			t.Fatal(err)
		}
	}
	return session.ID
}

// A long read of an old state makes SQLite's log grow. Once it is over, the next
// writes cut the log off.
func TestLogIsCutOff(t *testing.T) {
	t.Parallel()
	const limit = 16 << 20
	path := filepath.Join(t.TempDir(), "chatkit.db")
	s := store.New(databasetest.OpenMigrated(t, database.Config{Driver: database.SQLite, Path: path}))
	release := readOldState(t, path)
	session := write(t, s, "alice", 8, 5<<20)
	if size := logSize(t, path); size <= limit {
		t.Fatalf("the log has %d bytes, too few for this test", size)
	}
	release()
	write(t, s, "bob", 3, 1)
	if size := logSize(t, path); size > limit {
		t.Errorf("the log still has %d bytes", size)
	}
	if _, items, err := s.SessionWithItems(t.Context(), "alice", session); err != nil || len(items) != 8 {
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

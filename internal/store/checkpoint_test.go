package store_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/store"
)

// What the log holds reaches the file though nobody writes any more, and no
// transaction has to copy it.
func TestLogIsCopied(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "chatkit.db")
	s := open(t, store.Config{Driver: store.SQLite, Path: path})
	const mebibyte = 1 << 20
	write(t, s, 8, mebibyte)
	if size := logSize(t, path); size < 8*mebibyte {
		t.Fatalf("the log has %d bytes, too few for this test", size)
	}
	await(t, func() (string, bool) {
		file, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("the file has %d bytes", file.Size()), file.Size() > 8*mebibyte
	})
}

// write stores n items of so many bytes each, in a session of alice's.
func write(t *testing.T, s *store.Store, n, size int) uuid.UUID {
	t.Helper()
	now := time.Now()
	session := chat.Session{ID: uuid.New(), UserID: "alice", CreatedAt: now, UpdatedAt: now}
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

// await waits until it is so.
func await(t *testing.T, so func() (state string, ok bool)) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		state, ok := so()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(state)
		}
	}
}

// While somebody reads an old state SQLite's log must grow; then it is emptied,
// though nothing is written any more.
func TestLogIsKeptShort(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "chatkit.db")
	s := open(t, store.Config{Driver: store.SQLite, Path: path})
	release := readOldState(t, path)
	session := write(t, s, 16, 5<<20)
	if size := logSize(t, path); size < 64<<20 {
		t.Fatalf("the log has %d bytes, too few for this test", size)
	}
	release()
	await(t, func() (string, bool) {
		size := logSize(t, path)
		return fmt.Sprintf("the log still has %d bytes", size), size == 0
	})
	if _, items, err := s.SessionWithItems(t.Context(), "alice", session); err != nil || len(items) != 16 {
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

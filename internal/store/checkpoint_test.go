package store_test

import (
	"os"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/store"
)

// What is written goes from SQLite's log into the file without anybody's help,
// and the log is begun anew.
func TestLogIsCopied(t *testing.T) {
	t.Parallel()
	c := sqliteConfig(t)
	s := open(t, c)
	session := createSession(t, s, "alice")
	before := changed(t, c)
	for deadline := time.Now().Add(20 * time.Second); changed(t, c).Equal(before); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the file stays as it was")
		}
		if _, err := s.Session(t.Context(), "alice", session.ID); err != nil {
			t.Fatal(err)
		}
	}
}

func changed(t *testing.T, c store.Config) time.Time {
	t.Helper()
	info, err := os.Stat(c.Path)
	if err != nil {
		t.Fatal(err)
	}
	return info.ModTime()
}

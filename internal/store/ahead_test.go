package store_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// What another user is refused, between what a start is told of its history and
// its being stored, takes nothing of that back.
func TestStrangerMisleadsNobody(t *testing.T) {
	t.Parallel()
	s := open(t, sqliteConfig(t))
	now := time.Now().Truncate(time.Microsecond)
	session := chat.Session{ID: uuid.Must(uuid.NewV7()), UserID: "alice", CreatedAt: now, UpdatedAt: now}
	if err := s.CreateSession(t.Context(), session, 10); err != nil {
		t.Fatal(err)
	}
	run := chat.Run{
		ID: uuid.Must(uuid.NewV7()), SessionID: session.ID, Status: chat.RunRunning, Model: "model", StartedAt: now,
		Owner: uuid.New(), LeaseUntil: now.Add(time.Minute),
	}
	other := run
	other.ID = uuid.Must(uuid.NewV7())
	told := false
	started, err := s.StartRun(t.Context(), chat.NewRun{UserID: "alice", Run: run, Message: newItem(run), Found: func([]chat.Item) {
		told = true
		_, err := s.RetryRun(t.Context(), chat.Retry{UserID: "mallory", Run: other, ItemID: uuid.New()}, 20)
		wantForbidden(t, "retry", err)
		_, err = s.ResumeRun(t.Context(), chat.Resume{UserID: "mallory", Run: other}, 20)
		wantForbidden(t, "resume", err)
		wantForbidden(t, "delete", s.DeleteSession(t.Context(), "mallory", session.ID))
	}}, 20)
	if err != nil {
		t.Fatal(err)
	}
	if !told || started.Misled {
		t.Errorf("told of the history: %t, misled: %t", told, started.Misled)
	}
}

func wantForbidden(t *testing.T, what string, err error) {
	t.Helper()
	if chat.CodeOf(err) != chat.CodeForbidden {
		t.Errorf("%s: %v", what, err)
	}
}

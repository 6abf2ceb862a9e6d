package runs_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/attachments"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/chattest"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/runs"
)

// withFiles is a service that accepts files. Its maintenance is not started.
func withFiles(t *testing.T, model chat.Model, logger *slog.Logger) (*runs.Service, *chattest.Blobs) {
	t.Helper()
	blobs, db := chattest.NewBlobs(), openStore(t)
	service := runs.NewService(runs.Options{
		Store: db, Log: newLog(), Model: model, Logger: logger,
		Limits: runs.Limits{SessionsPerUser: 10, MessageChars: 500, HistoryMessages: 40, HistoryChars: 1000},
		Attachments: attachments.New(attachments.Options{
			Store: db, Blobs: blobs, MaxBytes: 30 << 20, Types: []string{"text/plain", "image/png"}, URLKey: []byte("key"),
		}),
	})
	t.Cleanup(func() {
		if err := service.Shutdown(t.Context()); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	return service, blobs
}

func attach(t *testing.T, service *runs.Service, mimeType, content string) chat.Attachment {
	t.Helper()
	a, err := service.Attachments.Create(t.Context(), alice, "a file", mimeType, int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	signature := service.Attachments.SignUpload(a)
	// The parts in which a content arrives make no difference.
	from := iotest.HalfReader(strings.NewReader(content))
	if err := service.Attachments.Upload(t.Context(), a.ID, attachments.Access{Signature: &signature}, from); err != nil {
		t.Fatal(err)
	}
	return a
}

// sendFiles starts a thread whose first message has the files, waits for the
// answer, and returns the session.
func sendFiles(t *testing.T, service *runs.Service, ids ...uuid.UUID) uuid.UUID {
	t.Helper()
	run, session, err := service.StartThread(t.Context(), runs.RunRequest{
		UserID: alice, Content: []chat.Content{{Type: chat.ContentInputText, Text: "Look"}}, Attachments: ids,
	})
	if err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, run)
	return session.ID
}

func awaitEnd(t *testing.T, run *runs.ActiveRun) (events []chat.Event) {
	t.Helper()
	follower := run.Follow(0)
	defer follower.Close()
	for {
		some, ended := follower.Poll()
		events = append(events, some...)
		if ended {
			return events
		}
		select {
		case <-follower.Ready():
		case <-time.After(20 * time.Second):
			t.Fatal("the run did not end")
		}
	}
}

package attachments_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/attachments"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/chattest"
	"github.com/chatkit-rest/chatkit-rest/internal/store"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database"
)

const alice = "alice"

// newService is a service whose sweeps a test makes itself.
func newService(t *testing.T) (*attachments.Service, *chattest.Blobs, *chattest.Clock) {
	t.Helper()
	db, err := database.Open(t.Context(), database.Config{Driver: database.SQLite, Path: filepath.Join(t.TempDir(), "chat.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	blobs, now := chattest.NewBlobs(), chattest.NewClock(time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC))
	return attachments.New(attachments.Options{
		Store: store.New(db), Blobs: blobs, Now: now.Time,
		MaxBytes: 30 << 20, Types: []string{"text/plain", "image/png"}, URLKey: []byte("key"),
	}), blobs, now
}

// upload stores a text.
func upload(t *testing.T, service *attachments.Service, content string) chat.Attachment {
	t.Helper()
	a, err := service.Create(t.Context(), alice, "a file", "text/plain", int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	// The parts in which a content arrives make no difference.
	from := iotest.HalfReader(strings.NewReader(content))
	if err := service.Upload(t.Context(), a.ID, attachments.Access{UserID: alice}, from); err != nil {
		t.Fatal(err)
	}
	return a
}

// send stores a thread whose message has the attachment.
func send(t *testing.T, db *store.Store, a chat.Attachment) (session uuid.UUID) {
	t.Helper()
	session = uuid.New()
	run := chat.Run{ID: uuid.New(), SessionID: session, Status: chat.RunRunning, Owner: uuid.New(), StartedAt: a.CreatedAt, Lease: time.Minute}
	_, err := db.StartThread(t.Context(), chat.Session{ID: session, UserID: alice, CreatedAt: a.CreatedAt, UpdatedAt: a.CreatedAt}, 10, chat.NewRun{
		UserID: alice, Run: run,
		Message: chat.Item{
			ID: uuid.New(), SessionID: session, RunID: run.ID, Type: chat.ItemUserMessage, CreatedAt: a.CreatedAt, Attachments: []chat.Attachment{a},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return session
}

// An attachment that is in no message is deleted after a day, with its content. If
// the content cannot be deleted, both stay until the next sweep.
func TestSweep(t *testing.T) {
	t.Parallel()
	service, blobs, now := newService(t)
	sent := upload(t, service, "sent")
	unsent := upload(t, service, "unsent")
	db := service.Store.(*store.Store)
	session := send(t, db, sent)
	now.Pass(24*time.Hour - time.Minute)
	young := upload(t, service, "young")
	sweep(t, service, nil)
	if got := blobs.Count(); got != 3 {
		t.Fatalf("%d contents before a day is over, want 3", got)
	}
	now.Pass(2 * time.Minute)
	blobs.Fail(true)
	sweep(t, service, chattest.ErrBroken)
	blobs.Fail(false)
	if _, err := service.Store.Attachment(t.Context(), unsent.ID); chat.CodeOf(err) != chat.CodeAttachmentNotFound {
		t.Errorf("an attachment whose sweep has begun: %v", err)
	}
	sweep(t, service, nil)
	if got := blobs.Count(); got != 2 {
		t.Errorf("%d contents after the sweep, want 2", got)
	}
	if _, err := service.Store.Attachment(t.Context(), young.ID); err != nil {
		t.Errorf("a young attachment: %v", err)
	}
	if err := db.DeleteSession(t.Context(), alice, session); err != nil {
		t.Fatal(err)
	}
	sweep(t, service, nil) // As another process would after a crash.
	if got := blobs.Count(); got != 1 {
		t.Errorf("%d contents after the session went, want 1", got)
	}
}

func sweep(t *testing.T, service *attachments.Service, want error) {
	t.Helper()
	if err := service.Sweep(t.Context()); !errors.Is(err, want) {
		t.Fatalf("sweep: %v, want %v", err, want)
	}
}

// A sweep deletes the other contents where some cannot be deleted, in whatever
// order it finds them.
func TestSweepSkipsFailures(t *testing.T) {
	t.Parallel()
	service, blobs, now := newService(t)
	for n := range 50 {
		upload(t, service, "unsent")
		if n == 2 {
			blobs.HoldAll(true)
		}
	}
	now.Pass(25 * time.Hour)
	sweep(t, service, chattest.ErrBroken)
	if got := blobs.Count(); got != 3 {
		t.Errorf("%d contents after the sweep, want the 3 that cannot be deleted", got)
	}
	blobs.HoldAll(false)
	sweep(t, service, nil)
	if got := blobs.Count(); got != 0 {
		t.Errorf("%d contents after the last sweep", got)
	}
}

// Repeated sweeps delete every content that can be deleted, however many cannot.
func TestSweepReachesAll(t *testing.T) {
	t.Parallel()
	service, blobs, now := newService(t)
	for range 10 {
		upload(t, service, "stuck")
	}
	blobs.HoldAll(true)
	upload(t, service, "unsent")
	now.Pass(25 * time.Hour)
	for round := 0; blobs.Count() > 10; round++ { // Each finds it with a chance of nearly one half.
		if round == 200 {
			t.Fatal("the one that can be deleted is never reached")
		}
		sweep(t, service, chattest.ErrBroken)
	}
}

// A signed URL expires, and is valid for one use of one user's attachment.
func TestSignedURLs(t *testing.T) {
	t.Parallel()
	service, _, now := newService(t)
	a := upload(t, service, "text")
	look := func(signature attachments.URLSignature) error {
		_, content, err := service.Open(t.Context(), a.ID, attachments.Access{UserID: "bob", Signature: &signature})
		if err == nil {
			_ = content.Close()
		}
		return err
	}
	signature := service.SignView(a)
	other := a
	other.UserID = "bob"
	if err := look(signature); err != nil {
		t.Errorf("a valid signature: %v", err)
	}
	for name, bad := range map[string]attachments.URLSignature{
		"for uploads": service.SignUpload(a), "of another user": service.SignView(other), "longer": {Expires: signature.Expires + 1, MAC: signature.MAC},
		"none": {},
	} {
		if err := look(bad); chat.CodeOf(err) != chat.CodeForbidden {
			t.Errorf("a signature %s: %v", name, err)
		}
	}
	now.Pass(time.Hour)
	if err := look(signature); chat.CodeOf(err) != chat.CodeForbidden {
		t.Errorf("an expired signature: %v", err)
	}
	if _, _, err := service.Open(t.Context(), a.ID, attachments.Access{}); chat.CodeOf(err) != chat.CodeForbidden {
		t.Errorf("without a signature and a user: %v", err)
	}
}

// A server that no longer accepts files still shows those of old messages.
func TestSignedURLsWithoutFileStore(t *testing.T) {
	t.Parallel()
	service := attachments.New(attachments.Options{})
	if signature := service.SignView(chat.Attachment{}); signature.MAC == "" {
		t.Error("there is no signature")
	}
}

package chat_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// fakeBlobs keeps contents in memory, and fails where a test says so.
type fakeBlobs struct {
	mu     sync.Mutex
	blobs  map[string][]byte
	broken bool
	// stuck are keys that cannot be deleted.
	stuck map[string]bool
}

var errBroken = errors.New("the fakeBlobs is broken")

func (s *fakeBlobs) Put(_ context.Context, key string, _ int64, _ string, content io.Reader) error {
	data, err := io.ReadAll(content)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken {
		return errBroken
	}
	s.blobs[key] = data
	return nil
}

func (s *fakeBlobs) Open(_ context.Context, key string) (io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken {
		return nil, errBroken
	}
	data, ok := s.blobs[key]
	if !ok {
		return nil, chat.ErrNoBlob
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

func (s *fakeBlobs) Delete(_ context.Context, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken || s.stuck[key] {
		return errBroken
	}
	delete(s.blobs, key)
	return nil
}

func (s *fakeBlobs) fail(broken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = broken
}

func (s *fakeBlobs) replaceAll(content string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.blobs {
		s.blobs[key] = []byte(content)
	}
}

func (s *fakeBlobs) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.blobs)
}

// clock is a time that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// withFiles is a service whose housekeeping is not started.
func withFiles(t *testing.T, model chat.Model) (*chat.Service, *fakeBlobs, *clock) {
	t.Helper()
	blobs, now := &fakeBlobs{blobs: map[string][]byte{}}, &clock{now: time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)}
	service := chat.NewService(chat.Options{
		Store: openStore(t), Model: model, Now: now.time,
		Limits: chat.Limits{SessionsPerUser: 10, MessageChars: 500, HistoryMessages: 40, HistoryChars: 1000},
		Attachments: &chat.AttachmentOptions{
			Blobs: blobs, MaxBytes: 30 << 20, Types: []string{"text/plain", "image/png"}, URLKey: []byte("key"),
		},
	})
	t.Cleanup(func() {
		if err := service.Shutdown(t.Context()); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	return service, blobs, now
}

func attach(t *testing.T, service *chat.Service, mimeType, content string) chat.Attachment {
	t.Helper()
	a, err := service.CreateAttachment(t.Context(), alice, "a file", mimeType, int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	signature := service.SignUpload(a)
	// Whatever pieces a content comes in, it is the same.
	from := iotest.HalfReader(strings.NewReader(content))
	if err := service.UploadAttachment(t.Context(), a.ID, chat.AttachmentAccess{Signature: &signature}, from); err != nil {
		t.Fatal(err)
	}
	return a
}

// What no message has goes after a day, with its content; where that cannot be
// deleted, both stay for the next sweep.
func TestSweep(t *testing.T) {
	t.Parallel()
	service, blobs, now := withFiles(t, says(end, "Fine."))
	sent := attach(t, service, "text/plain", "sent")
	unsent := attach(t, service, "text/plain", "unsent")
	session := sendFiles(t, service, sent.ID)
	now.pass(24*time.Hour - time.Minute)
	young := attach(t, service, "text/plain", "young")
	sweep(t, service, nil)
	if got := blobs.count(); got != 3 {
		t.Fatalf("%d contents before a day is over, want 3", got)
	}
	now.pass(2 * time.Minute)
	blobs.fail(true)
	sweep(t, service, errBroken)
	blobs.fail(false)
	if _, err := service.Store.Attachment(t.Context(), unsent.ID); chat.CodeOf(err) != chat.CodeAttachmentNotFound {
		t.Errorf("an attachment whose sweep has begun: %v", err)
	}
	sweep(t, service, nil)
	if got := blobs.count(); got != 2 {
		t.Errorf("%d contents after the sweep, want 2", got)
	}
	if _, err := service.Store.Attachment(t.Context(), young.ID); err != nil {
		t.Errorf("a young attachment: %v", err)
	}
	if err := service.DeleteSession(t.Context(), alice, session); err != nil {
		t.Fatal(err)
	}
	sweep(t, service, nil) // As another process would after a crash.
	if got := blobs.count(); got != 1 {
		t.Errorf("%d contents after the session went, want 1", got)
	}
}

func sweep(t *testing.T, service *chat.Service, want error) {
	t.Helper()
	if err := service.Sweep(t.Context()); !errors.Is(err, want) {
		t.Fatalf("sweep: %v, want %v", err, want)
	}
}

// Contents that cannot be deleted do not keep the others from it, wherever they
// are among them.
func TestSweepSkipsFailures(t *testing.T) {
	t.Parallel()
	service, blobs, now := withFiles(t, says(end, "Fine."))
	blobs.stuck = map[string]bool{}
	for n := range 50 {
		attach(t, service, "text/plain", "unsent")
		if n == 2 {
			for key := range blobs.blobs {
				blobs.stuck[key] = true
			}
		}
	}
	now.pass(25 * time.Hour)
	sweep(t, service, errBroken)
	if got := blobs.count(); got != 3 {
		t.Errorf("%d contents after the sweep, want the 3 that cannot be deleted", got)
	}
	clear(blobs.stuck)
	sweep(t, service, nil)
	if got := blobs.count(); got != 0 {
		t.Errorf("%d contents after the last sweep", got)
	}
}

// However many cannot be deleted, the others go in time.
func TestSweepReachesAll(t *testing.T) {
	t.Parallel()
	service, blobs, now := withFiles(t, says(end, "Fine."))
	for range 10 {
		attach(t, service, "text/plain", "stuck")
	}
	blobs.stuck = map[string]bool{}
	for key := range blobs.blobs {
		blobs.stuck[key] = true
	}
	attach(t, service, "text/plain", "unsent")
	now.pass(25 * time.Hour)
	for round := 0; blobs.count() > 10; round++ { // Each finds it with a chance of nearly one half.
		if round == 200 {
			t.Fatal("the one that can be deleted is never reached")
		}
		sweep(t, service, errBroken)
	}
}

// sendFiles starts a thread whose first message has the files, waits for the
// answer, and returns the session.
func sendFiles(t *testing.T, service *chat.Service, ids ...uuid.UUID) uuid.UUID {
	t.Helper()
	run, session, err := service.StartThread(t.Context(), chat.RunRequest{
		UserID: alice, Content: []chat.Content{{Type: chat.ContentInputText, Text: "Look"}}, Attachments: ids,
	})
	if err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, run)
	return session.ID
}

func awaitEnd(t *testing.T, run *chat.ActiveRun) (events []chat.Event) {
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

// A signed URL expires, and is valid for one use by one user's visitors.
func TestSignedURLs(t *testing.T) {
	t.Parallel()
	service, _, now := withFiles(t, says(end, "Fine."))
	a := attach(t, service, "text/plain", "text")
	look := func(signature chat.URLSignature) error {
		_, content, err := service.OpenAttachment(t.Context(), a.ID, chat.AttachmentAccess{UserID: "bob", Signature: &signature})
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
	for name, bad := range map[string]chat.URLSignature{
		"for uploads": service.SignUpload(a), "of another user": service.SignView(other), "longer": {Expires: signature.Expires + 1, MAC: signature.MAC},
		"none": {},
	} {
		if err := look(bad); chat.CodeOf(err) != chat.CodeForbidden {
			t.Errorf("a signature %s: %v", name, err)
		}
	}
	now.pass(time.Hour)
	if err := look(signature); chat.CodeOf(err) != chat.CodeForbidden {
		t.Errorf("an expired signature: %v", err)
	}
	if _, _, err := service.OpenAttachment(t.Context(), a.ID, chat.AttachmentAccess{}); chat.CodeOf(err) != chat.CodeForbidden {
		t.Errorf("nobody: %v", err)
	}
}

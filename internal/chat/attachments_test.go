package chat_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// shelf keeps contents in memory, and fails when it is told to.
type shelf struct {
	mu     sync.Mutex
	blobs  map[string][]byte
	broken bool
	// stuck are keys that cannot be deleted.
	stuck map[string]bool
}

var errBroken = errors.New("the shelf is broken")

func (s *shelf) Put(_ context.Context, key string, _ int64, _ string, content io.Reader) error {
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

func (s *shelf) Open(_ context.Context, key string) (io.ReadCloser, error) {
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

func (s *shelf) Delete(_ context.Context, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken || s.stuck[key] {
		return errBroken
	}
	delete(s.blobs, key)
	return nil
}

func (s *shelf) fail(broken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = broken
}

func (s *shelf) replaceAll(content string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.blobs {
		s.blobs[key] = []byte(content)
	}
}

func (s *shelf) count() int {
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
func withFiles(t *testing.T, model chat.Model) (*chat.Service, *shelf, *clock) {
	t.Helper()
	blobs, now := &shelf{blobs: map[string][]byte{}}, &clock{now: time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)}
	service := chat.NewService(chat.Options{
		Store: openStore(t), Model: model, Now: now.time,
		Limits: chat.Limits{SessionsPerUser: 10, MessageChars: 500, HistoryMessages: 40, HistoryChars: 1000},
		Attachments: &chat.AttachmentOptions{
			Blobs: blobs, MaxBytes: 30 << 20, Types: []string{"text/plain", "image/png"}, LinkKey: []byte("key"),
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
	link := service.UploadLink(a)
	// Whatever pieces a content comes in, it is the same.
	from := iotest.HalfReader(strings.NewReader(content))
	if err := service.UploadAttachment(t.Context(), a.ID, chat.Visitor{Link: &link}, from); err != nil {
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
	loose := attach(t, service, "text/plain", "loose")
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
	if _, err := service.Store.Attachment(t.Context(), loose.ID); chat.CodeOf(err) != chat.CodeAttachmentNotFound {
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
func TestSweepGoesOnPastFailures(t *testing.T) {
	t.Parallel()
	service, blobs, now := withFiles(t, says(end, "Fine."))
	blobs.stuck = map[string]bool{}
	for n := range 50 {
		attach(t, service, "text/plain", "loose")
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
	attach(t, service, "text/plain", "loose")
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

// recorder keeps what the model was asked.
type recorder struct {
	chat.Model

	mu    sync.Mutex
	asked [][]chat.Message
}

func (r *recorder) Stream(ctx context.Context, req chat.ModelRequest) (chat.ModelStream, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, append([]chat.Message(nil), req.Messages...))
	return says(end, "Fine.").Stream(ctx, req)
}

// The newest files are sent, as far as the bounds reach; of the others the
// model is told.
func TestFilesAreBounded(t *testing.T) {
	t.Parallel()
	model := &recorder{}
	service, _, _ := withFiles(t, model)
	png := "\x89PNG\x0D\x0A\x1A\x0A"
	old := attach(t, service, "image/png", png+strings.Repeat("o", 12<<20))
	recent := attach(t, service, "image/png", png+strings.Repeat("n", 12<<20))
	long := attach(t, service, "text/plain", strings.Repeat("ü", 1500))
	more := attach(t, service, "text/plain", "more")
	session := sendFiles(t, service, old.ID)
	run, err := service.StartRun(t.Context(), chat.RunRequest{
		UserID: alice, SessionID: session, ThreadID: session, Attachments: []uuid.UUID{recent.ID, long.ID, more.ID},
		Content: []chat.Content{{Type: chat.ContentInputText, Text: "And these"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, run)
	messages := model.asked[1]
	first, last := messages[0], messages[len(messages)-1]
	if len(first.Images) != 0 || len(first.Files) != 1 || !strings.Contains(first.Files[0], "left out") {
		t.Errorf("the first message has %d images and the files %q", len(first.Images), first.Files)
	}
	if len(last.Images) != 1 || len(last.Images[0].Data) != 8+12<<20 || len(last.Files) != 2 {
		t.Fatalf("the last message has %d images and %d files", len(last.Images), len(last.Files))
	}
	if !strings.HasSuffix(last.Files[0], ", its beginning:\n"+strings.Repeat("ü", 1000)) || !strings.Contains(last.Files[1], "left out") {
		t.Errorf("the texts are %.100q and %q", last.Files[0], last.Files[1])
	}
}

// No more images are sent than a message may have, and the newest message's
// before the others'.
func TestImagesAreCounted(t *testing.T) {
	t.Parallel()
	model := &recorder{}
	service, _, _ := withFiles(t, model)
	some := func(count int) []uuid.UUID {
		ids := make([]uuid.UUID, count)
		for n := range ids {
			ids[n] = attach(t, service, "image/png", "\x89PNG\x0D\x0A\x1A\x0A").ID
		}
		return ids
	}
	session := sendFiles(t, service, some(5)...)
	run, err := service.StartRun(t.Context(), chat.RunRequest{
		UserID: alice, SessionID: session, ThreadID: session, Attachments: some(18),
		Content: []chat.Content{{Type: chat.ContentInputText, Text: "And these"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, run)
	messages := model.asked[1]
	first, last := messages[0], messages[len(messages)-1]
	if len(last.Images) != 18 || len(last.Files) != 0 || len(first.Images) != 2 {
		t.Errorf("of 18 new images %d are sent, of 5 old ones %d", len(last.Images), len(first.Images))
	}
	for _, file := range first.Files {
		if !strings.Contains(file, `"a file" (image/png, 8 bytes); its content is left out`) {
			t.Errorf("the model is told %q", file)
		}
	}
	if len(first.Files) != 3 {
		t.Errorf("the model is told of %d images that are left out", len(first.Files))
	}
}

// gate is a model that lets a question wait, before upstream begins to answer
// and then before it ends.
type gate struct {
	chat.Model

	asked, begin, end chan struct{}
}

func (g *gate) Stream(ctx context.Context, _ chat.ModelRequest) (chat.ModelStream, error) {
	g.asked <- struct{}{}
	select {
	case <-g.begin:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return scriptedStream{ctx, func(context.Context) (chat.Chunk, error) {
		select {
		case <-g.end:
			return chat.Chunk{}, io.EOF
		case <-ctx.Done():
			return chat.Chunk{}, ctx.Err()
		}
	}}, nil
}

// await waits for a question.
func (g *gate) await(t *testing.T) {
	t.Helper()
	select {
	case <-g.asked:
	case <-time.After(20 * time.Second):
		t.Fatal("the model is not asked")
	}
}

// The files of all runs together are bounded, until upstream begins to answer:
// a run that finds no room fails, and may be tried again.
func TestFilesAreHeldInTurn(t *testing.T) {
	t.Parallel()
	model := &gate{asked: make(chan struct{}, 3), begin: make(chan struct{}), end: make(chan struct{})}
	service, _, _ := withFiles(t, model)
	service.HoldFiles(10, time.Millisecond)
	start := func(content string) *chat.ActiveRun {
		run, _, err := service.StartThread(t.Context(), chat.RunRequest{
			UserID: alice, Attachments: []uuid.UUID{attach(t, service, "text/plain", content).ID},
		})
		if err != nil {
			t.Fatal(err)
		}
		return run
	}
	first := start("six...")
	model.await(t)
	second := start("five.")
	soon, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err := second.Opened(soon)
	if busy, ok := errors.AsType[*chat.Error](err); !ok || busy.Code != chat.CodeServiceUnavailable || busy.RetryAfter == 0 {
		t.Errorf("the second run is refused with %v", err)
	}
	events := awaitEnd(t, second)
	if failed, ok := events[len(events)-2].(chat.Failed); !ok || !failed.AllowRetry || !strings.Contains(failed.Message, "busy") {
		t.Errorf("the second run ends with %+v", events[len(events)-2:])
	}
	model.begin <- struct{}{}
	if err := first.Opened(t.Context()); err != nil {
		t.Fatal(err)
	}
	third := start("ten bytes.") // The first goes on answering, and holds nothing.
	model.await(t)
	close(model.begin)
	close(model.end)
	awaitEnd(t, first)
	awaitEnd(t, third)
}

// Each step of a run sends the files again, between its tools they are not held.
func TestFilesOfSteps(t *testing.T) {
	t.Parallel()
	blobs := &shelf{blobs: map[string][]byte{}}
	options := chat.Options{Attachments: &chat.AttachmentOptions{
		Blobs: blobs, MaxBytes: 100, Types: []string{"image/png"}, LinkKey: []byte("key"),
	}}
	var (
		service *chat.Service
		model   *steps
	)
	box := toolbox{"look": func(ctx context.Context, _ chat.ToolUse) chat.ToolResult {
		release, err := service.Hold(ctx, 10)
		if err != nil {
			t.Errorf("while a tool works: %v", err)
			return chat.ToolResult{}
		}
		release()
		return chat.ToolResult{Text: "Seen."}
	}}
	service, model = withTools(t, options, box, calls("look"), text("Fine."))
	service.HoldFiles(10, time.Millisecond)
	sendFiles(t, service, attach(t, service, "image/png", "\x89PNG\x0D\x0A\x1A\x0A").ID)
	if len(model.requests) != 2 {
		t.Fatalf("the model was asked %d times", len(model.requests))
	}
	for n, request := range model.requests {
		if len(request.Messages[0].Images) != 1 {
			t.Errorf("request %d has %d images", n, len(request.Messages[0].Images))
		}
	}
}

// A store of files that is away fails the run, which may be tried again; a
// content that is gone does not.
func TestFilesAway(t *testing.T) {
	t.Parallel()
	model := &recorder{}
	service, blobs, _ := withFiles(t, model)
	a := attach(t, service, "text/plain", "text")
	session := sendFiles(t, service, a.ID)
	again := func() []chat.Event {
		run, err := service.StartRun(t.Context(), chat.RunRequest{
			UserID: alice, SessionID: session, ThreadID: session, Content: []chat.Content{{Type: chat.ContentInputText, Text: "Again"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return awaitEnd(t, run)
	}
	blobs.fail(true)
	events := again()
	if failed, ok := events[len(events)-1].(chat.Failed); !ok || !failed.AllowRetry || !strings.Contains(failed.Message, "store of attachments") {
		t.Errorf("the last event is %+v", events[len(events)-1])
	}
	blobs.fail(false)
	blobs.blobs = map[string][]byte{}
	again()
	if last := model.asked[len(model.asked)-1]; !strings.Contains(last[0].Files[0], "gone") {
		t.Errorf("the model was told %q", last[0].Files)
	}
}

// A content that is not as long as it was stored fails no run, now or later: the
// model is told, and the log once.
func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{"shorter": "te", "empty": "", "longer": "text and more"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			model := &recorder{}
			service, blobs, _ := withFiles(t, model)
			var log bytes.Buffer
			service.Logger = slog.New(slog.NewTextHandler(&log, nil))
			session := sendFiles(t, service, attach(t, service, "text/plain", "text").ID)
			blobs.replaceAll(content)
			for range 2 {
				run, err := service.StartRun(t.Context(), chat.RunRequest{
					UserID: alice, SessionID: session, ThreadID: session, Content: []chat.Content{{Type: chat.ContentInputText, Text: "Again"}},
				})
				if err != nil {
					t.Fatal(err)
				}
				events := awaitEnd(t, run)
				if _, failed := events[len(events)-1].(chat.Failed); failed {
					t.Fatalf("the run failed: %+v", events[len(events)-1])
				}
			}
			for _, asked := range model.asked[1:] {
				if files := asked[0].Files; len(files) != 1 || !strings.Contains(files[0], `"a file" (text/plain, 4 bytes); its content is damaged.`) {
					t.Errorf("the model was told %q", files)
				}
			}
			if warnings := strings.Count(log.String(), "damaged"); len(model.asked) != 3 || warnings != 1 {
				t.Errorf("the model was asked %d times, the log warned %d times", len(model.asked), warnings)
			}
		})
	}
}

// Links are over after their time, and are good for what they were made for.
func TestLinks(t *testing.T) {
	t.Parallel()
	service, _, now := withFiles(t, says(end, "Fine."))
	a := attach(t, service, "text/plain", "text")
	look := func(link chat.Link) error {
		_, content, err := service.OpenAttachment(t.Context(), a.ID, chat.Visitor{UserID: "bob", Link: &link})
		if err == nil {
			_ = content.Close()
		}
		return err
	}
	link := service.ViewLink(a)
	other := a
	other.UserID = "bob"
	if err := look(link); err != nil {
		t.Errorf("a good link: %v", err)
	}
	for name, bad := range map[string]chat.Link{
		"for uploads": service.UploadLink(a), "of another user": service.ViewLink(other), "longer": {Expires: link.Expires + 1, Signature: link.Signature},
		"none": {},
	} {
		if err := look(bad); chat.CodeOf(err) != chat.CodeForbidden {
			t.Errorf("a link %s: %v", name, err)
		}
	}
	now.pass(time.Hour)
	if err := look(link); chat.CodeOf(err) != chat.CodeForbidden {
		t.Errorf("a link that is over: %v", err)
	}
	if _, _, err := service.OpenAttachment(t.Context(), a.ID, chat.Visitor{}); chat.CodeOf(err) != chat.CodeForbidden {
		t.Errorf("nobody: %v", err)
	}
}

package runs_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/attachments"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/chattest"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/runs"
)

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
	service, _ := withFiles(t, model, nil)
	png := "\x89PNG\x0D\x0A\x1A\x0A"
	old := attach(t, service, "image/png", png+strings.Repeat("o", 12<<20))
	recent := attach(t, service, "image/png", png+strings.Repeat("n", 12<<20))
	long := attach(t, service, "text/plain", strings.Repeat("ü", 1500))
	more := attach(t, service, "text/plain", "more")
	session := sendFiles(t, service, old.ID)
	run, err := service.StartRun(t.Context(), runs.RunRequest{
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
	service, _ := withFiles(t, model, nil)
	some := func(count int) []uuid.UUID {
		ids := make([]uuid.UUID, count)
		for n := range ids {
			ids[n] = attach(t, service, "image/png", "\x89PNG\x0D\x0A\x1A\x0A").ID
		}
		return ids
	}
	session := sendFiles(t, service, some(5)...)
	run, err := service.StartRun(t.Context(), runs.RunRequest{
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
func TestFileMemoryIsAcquiredInOrder(t *testing.T) {
	t.Parallel()
	model := &gate{asked: make(chan struct{}, 3), begin: make(chan struct{}), end: make(chan struct{})}
	service, _ := withFiles(t, model, nil)
	service.SetFileMemory(10, time.Millisecond)
	start := func(content string) *runs.ActiveRun {
		run, _, err := service.StartThread(t.Context(), runs.RunRequest{
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
	db := openStore(t)
	options := runs.Options{Store: db, Attachments: attachments.New(attachments.Options{
		Store: db, Blobs: chattest.NewBlobs(), MaxBytes: 100, Types: []string{"image/png"}, URLKey: []byte("key"),
	})}
	var (
		service *runs.Service
		model   *steps
	)
	box := toolbox{"look": func(ctx context.Context, _ chat.ToolUse) chat.ToolResult {
		release, err := service.AcquireFileMemory(ctx, 10)
		if err != nil {
			t.Errorf("while a tool works: %v", err)
			return chat.ToolResult{}
		}
		release()
		return chat.ToolResult{Text: "Seen."}
	}}
	service, model = withTools(t, options, box, calls("look"), text("Fine."))
	service.SetFileMemory(10, time.Millisecond)
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
// content that was deleted does not.
func TestMissingFilesAndUnreachableStore(t *testing.T) {
	t.Parallel()
	model := &recorder{}
	service, blobs := withFiles(t, model, nil)
	a := attach(t, service, "text/plain", "text")
	session := sendFiles(t, service, a.ID)
	again := func() []chat.Event {
		run, err := service.StartRun(t.Context(), runs.RunRequest{
			UserID: alice, SessionID: session, ThreadID: session, Content: []chat.Content{{Type: chat.ContentInputText, Text: "Again"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return awaitEnd(t, run)
	}
	blobs.Fail(true)
	events := again()
	if failed, ok := events[len(events)-1].(chat.Failed); !ok || !failed.AllowRetry || !strings.Contains(failed.Message, "file store") {
		t.Errorf("the last event is %+v", events[len(events)-1])
	}
	blobs.Fail(false)
	blobs.Clear()
	again()
	if last := model.asked[len(model.asked)-1]; !strings.Contains(last[0].Files[0], "missing") {
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
			var log bytes.Buffer
			service, blobs := withFiles(t, model, slog.New(slog.NewTextHandler(&log, nil)))
			session := sendFiles(t, service, attach(t, service, "text/plain", "text").ID)
			blobs.ReplaceAll(content)
			for range 2 {
				run, err := service.StartRun(t.Context(), runs.RunRequest{
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

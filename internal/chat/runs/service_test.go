package runs_test

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/runs"
	"github.com/chatkit-rest/chatkit-rest/internal/eventlog"
	"github.com/chatkit-rest/chatkit-rest/internal/store"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scripted is a model that does what a test could not make an upstream do.
type scripted struct {
	next func(ctx context.Context) (chat.Chunk, error)
}

func (s scripted) Stream(ctx context.Context, _ chat.ModelRequest) (chat.ModelStream, error) {
	return scriptedStream{ctx, s.next}, nil
}

type scriptedStream struct {
	ctx  context.Context //nolint:containedctx // as a real stream holds its connection's
	next func(ctx context.Context) (chat.Chunk, error)
}

func (s scriptedStream) Next(chunk *chat.Chunk) (err error) {
	*chunk, err = s.next(s.ctx)
	return err
}

func (scriptedStream) Close() error { return nil }

// says is a model that streams the pieces one by one, then calls last.
func says(last func(context.Context) (chat.Chunk, error), pieces ...string) scripted {
	var n atomic.Int64
	return scripted{func(ctx context.Context) (chat.Chunk, error) {
		if at := int(n.Add(1)) - 1; at < len(pieces) {
			return chat.Chunk{Text: pieces[at]}, nil
		}
		return last(ctx)
	}}
}

func end(context.Context) (chat.Chunk, error) { return chat.Chunk{}, io.EOF }

func untilCancelled(ctx context.Context) (chat.Chunk, error) {
	<-ctx.Done()
	return chat.Chunk{}, ctx.Err()
}

const alice = "alice"

func openStore(t *testing.T) *store.Store {
	t.Helper()
	return openStoreAt(t, filepath.Join(t.TempDir(), "chat.db"))
}

func openStoreAt(t *testing.T, path string) *store.Store {
	t.Helper()
	db, err := database.Open(t.Context(), database.Config{Driver: database.SQLite, Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return store.New(db)
}

// newLog is a log that keeps what a test can read.
func newLog() chat.EventLog {
	return eventlog.NewMemory(eventlog.Options{TTL: time.Minute, MaxBytes: 1 << 20})
}

func newService(t *testing.T, db chat.Store, model chat.Model) *runs.Service {
	t.Helper()
	service := runs.NewService(runs.Options{
		Store: db, Log: newLog(), Model: model,
		Limits: runs.Limits{SessionsPerUser: 10, MessageChars: 500, HistoryMessages: 40, HistoryChars: 32000},
	})
	if err := service.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = service.Shutdown(ctx)
	})
	return service
}

func ask(t *testing.T, service *runs.Service) (chat.Session, *runs.ActiveRun) {
	t.Helper()
	session, err := service.CreateSession(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	run, err := service.StartRun(t.Context(), runs.RunRequest{
		UserID: alice, SessionID: session.ID, ThreadID: session.ID,
		Content: []chat.Content{{Type: chat.ContentInputText, Text: "hello"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return session, run
}

// follow reads a run to its end, or until enough says so.
func follow(t *testing.T, run *runs.ActiveRun, enough func(chat.Event) bool) []chat.Event {
	t.Helper()
	follower := run.Follow(0)
	defer follower.Close()
	var all []chat.Event
	for {
		events, ended := follower.Poll()
		all = append(all, events...)
		if ended || len(all) > 0 && enough != nil && enough(all[len(all)-1]) {
			return all
		}
		select {
		case <-follower.Ready():
		case <-time.After(20 * time.Second):
			t.Fatalf("the run has no further event after %d events", len(all))
		}
	}
}

func isDelta(event chat.Event) bool {
	_, ok := event.(*chat.TextDelta)
	return ok
}

// failed returns the run's error event, which must be its last but for the
// title's.
func failed(t *testing.T, events []chat.Event) chat.Failed {
	t.Helper()
	if _, ok := events[len(events)-1].(chat.SessionUpdated); ok {
		events = events[:len(events)-1]
	}
	event, ok := events[len(events)-1].(chat.Failed)
	if !ok {
		t.Fatalf("the last event is %T, want Failed", events[len(events)-1])
	}
	return event
}

// history is the text of the session's messages.
func history(t *testing.T, service *runs.Service, id uuid.UUID) []string {
	t.Helper()
	_, items, err := service.Session(t.Context(), alice, id)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, item := range items {
		texts = append(texts, string(item.Type)+": "+item.Text())
	}
	return texts
}

func wantHistory(t *testing.T, service *runs.Service, id uuid.UUID, want ...string) {
	t.Helper()
	if got := history(t, service, id); strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("history %q, want %q", got, want)
	}
}

// A panic of the model fails the run, and the text so far is kept.
func TestPanicIsTheRunsFailure(t *testing.T) {
	t.Parallel()
	service := newService(t, openStore(t), says(func(context.Context) (chat.Chunk, error) { panic("boom") }, "half "))
	session, run := ask(t, service)
	if event := failed(t, follow(t, run, nil)); strings.Contains(event.Message, "boom") {
		t.Errorf("the message shows the panic: %q", event.Message)
	}
	wantHistory(t, service, session.ID, "user_message: hello", "assistant_message: half ")
}

func TestEndIsSavedWhenTheDatabaseIsBack(t *testing.T) {
	t.Parallel()
	failures := 2
	db := &storeHooks{Store: openStore(t), finish: func(_ chat.Run, _ []chat.Item, store finishFunc) (chat.Session, error) {
		if failures--; failures >= 0 {
			return chat.Session{}, chat.ErrStoreUnavailable(errors.New("connection refused"))
		}
		return store()
	}}
	service := newService(t, db, says(end, "an ", "answer"))
	session, run := ask(t, service)
	events := follow(t, run, nil)
	for _, event := range events {
		if event, ok := event.(chat.Failed); ok {
			t.Errorf("the run failed: %s", event.Message)
		}
	}
	wantHistory(t, service, session.ID, "user_message: hello", "assistant_message: an answer")
}

// A follower sees a complete answer only after it is stored.
func TestAnswerIsDurableBeforeItIsDone(t *testing.T) {
	t.Parallel()
	service := newService(t, openStore(t), says(end, "an answer"))
	session, run := ask(t, service)
	follow(t, run, func(event chat.Event) bool {
		done, ok := event.(chat.ItemDone)
		if !ok || done.Item.Type != chat.ItemAssistantMessage {
			return false
		}
		wantHistory(t, service, session.ID, "user_message: hello", "assistant_message: an answer")
		return true
	})
}

// A run that Shutdown cuts short is stored with its text so far.
func TestShutdownSavesPartialAnswers(t *testing.T) {
	t.Parallel()
	service := newService(t, openStore(t), says(untilCancelled, "half ", "an answer"))
	session, run := ask(t, service)
	follow(t, run, func(e chat.Event) bool { d, ok := e.(*chat.TextDelta); return ok && d.Delta == "an answer" })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := service.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown returned %v though a run was cut", err)
	}
	if event := failed(t, follow(t, run, nil)); !event.AllowRetry {
		t.Error("a cut by a restart may be tried again")
	}
	wantHistory(t, service, session.ID, "user_message: hello", "assistant_message: half an answer")
	_, err := service.StartRun(t.Context(), runs.RunRequest{
		UserID: alice, SessionID: session.ID, ThreadID: session.ID,
		Content: []chat.Content{{Type: chat.ContentInputText, Text: "again"}},
	})
	if chat.CodeOf(err) != chat.CodeServiceUnavailable {
		t.Errorf("a run after the stop: %v", err)
	}
}

// Parts without text have no characters; their number is bounded all the same.
func TestEmptyPartsAreBounded(t *testing.T) {
	t.Parallel()
	service := newService(t, openStore(t), says(end, "an answer"))
	session, err := service.CreateSession(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	content := make([]chat.Content, 501)
	content[0] = chat.Content{Type: chat.ContentInputText, Text: "a"}
	_, err = service.StartRun(t.Context(), runs.RunRequest{
		UserID: alice, SessionID: session.ID, ThreadID: session.ID, Content: content,
	})
	if chat.CodeOf(err) != chat.CodeMessageTooLong {
		t.Errorf("501 parts: %v", err)
	}
	wantHistory(t, service, session.ID)
}

// An upstream that never stops is stopped, and what came is kept.
func TestEndlessAnswerIsCut(t *testing.T) {
	t.Parallel()
	piece := strings.Repeat("x", 1<<20)
	service := newService(t, openStore(t), scripted{func(ctx context.Context) (chat.Chunk, error) {
		return chat.Chunk{Text: piece}, ctx.Err()
	}})
	session, run := ask(t, service)
	if event := failed(t, follow(t, run, nil)); event.AllowRetry {
		t.Error("an endless answer would be as endless again")
	}
	if got := history(t, service, session.ID); len(got) != 2 || len(got[1]) < 16<<20 {
		t.Errorf("%d messages are kept", len(got))
	}
}

// PostgreSQL cannot hold NUL; an answer with one is kept all the same.
func TestNULInAnAnswer(t *testing.T) {
	t.Parallel()
	service := newService(t, openStore(t), says(end, "a\x00b"))
	session, run := ask(t, service)
	follow(t, run, nil)
	wantHistory(t, service, session.ID, "user_message: hello", "assistant_message: a\uFFFDb")
}

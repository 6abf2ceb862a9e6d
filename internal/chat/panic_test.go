package chat_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// fragile is a store that panics where a test says so.
type fragile struct {
	chat.Store

	finishing, claiming func()
}

func (s fragile) FinishRun(ctx context.Context, run chat.Run, items []chat.Item) (chat.Session, error) {
	if s.finishing != nil && len(items) > 0 {
		s.finishing()
	}
	return s.Store.FinishRun(ctx, run, items)
}

func (s fragile) ClaimTitle(ctx context.Context, id uuid.UUID) (bool, error) {
	if s.claiming != nil {
		s.claiming()
	}
	return s.Store.ClaimTitle(ctx, id)
}

// onceOnly panics the first time.
func onceOnly() func() {
	var first sync.Once
	return func() { first.Do(func() { panic("boom") }) }
}

// logged is a log that a test reads.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

// wantPanic waits for a line about a panic, with its stack: who panicked may not
// have written it yet.
func (l *logged) wantPanic(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		text := l.String()
		if strings.Contains(text, "a run panicked") && strings.Contains(text, "panic_test.go") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the log does not tell of the panic and where it was: %s", text)
		}
	}
}

// String is what was logged so far.
func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func startOn(t *testing.T, o chat.Options) (*chat.Service, *logged) {
	t.Helper()
	written := &logged{}
	o.Logger = slog.New(slog.NewTextHandler(written, nil))
	o.Limits = chat.Limits{SessionsPerUser: 10, MessageChars: 500, HistoryMessages: 40, HistoryChars: 32000}
	service := chat.NewService(o)
	if err := service.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := service.Shutdown(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return service, written
}

// A panic while the end is saved is the run's failure: its followers are told,
// and the thread takes the next message.
func TestPanicWhileTheEndIsSaved(t *testing.T) {
	t.Parallel()
	observer := &ends{}
	service, written := startOn(t, chat.Options{
		Store: fragile{Store: openStore(t), finishing: onceOnly()}, Model: &steps{answers: [][]chat.Chunk{text("Yes.")}},
		Observer: observer,
	})
	session, run := ask(t, service)
	if event := failed(t, follow(t, run, nil)); strings.Contains(event.Message, "boom") {
		t.Errorf("the message tells the panic: %q", event.Message)
	}
	written.wantPanic(t)
	say(t, service, session.ID, "again")
	wantHistory(t, service, session.ID, "user_message: hello", "user_message: again", "assistant_message: Yes.")
	if told := observer.told.Load(); told != 2 {
		t.Errorf("the observer was told of %d ends, want 2", told)
	}
}

// ends counts the runs whose end it is told.
type ends struct {
	lastRun

	told atomic.Int32
}

func (e *ends) RunEnded(context.Context, chat.Run) { e.told.Add(1) }

// panicking is an observer that panics at the end of each run.
type panicking struct{ lastRun }

func (*panicking) RunEnded(context.Context, chat.Run) { panic("boom") }

// A panic after the end was saved changes nothing of it.
func TestPanicAfterTheEndIsSaved(t *testing.T) {
	t.Parallel()
	service, written := startOn(t, chat.Options{
		Store: openStore(t), Model: &steps{answers: [][]chat.Chunk{text("Yes.")}}, Observer: &panicking{},
	})
	session, run := ask(t, service)
	if told := sequence(follow(t, run, nil)); !slices.Contains(told, "done assistant_message") {
		t.Errorf("the followers were told %q", told)
	}
	written.wantPanic(t)
	wantHistory(t, service, session.ID, "user_message: hello", "assistant_message: Yes.")
}

// A panic while a title is made leaves the first message's, and the next
// exchange is named.
func TestPanicWhileATitleIsMade(t *testing.T) {
	t.Parallel()
	for name, panics := range map[string]struct{ title, claim func() }{
		"in the model": {title: onceOnly(), claim: func() {}},
		"in the store": {title: func() {}, claim: onceOnly()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole := once(chat.Chunk{Text: "Rain"})
			service, written := startOn(t, chat.Options{
				Store: fragile{Store: openStore(t), claiming: panics.claim}, TitleModel: "a/namer",
				Model: &namer{answers: &steps{answers: [][]chat.Chunk{text("Yes.")}}, title: func(ctx context.Context) (chat.Chunk, error) {
					panics.title()
					return whole(ctx)
				}},
			})
			session, run := ask(t, service)
			follow(t, run, nil)
			for deadline := time.Now().Add(10 * time.Second); titleIn(t, service, session.ID) != "Rain"; {
				if time.Now().After(deadline) {
					t.Fatal("no title was made of a later exchange")
				}
				say(t, service, session.ID, "again")
			}
			written.wantPanic(t)
		})
	}
}

func titleIn(t *testing.T, service *chat.Service, id uuid.UUID) string {
	t.Helper()
	session, err := service.OpenThread(t.Context(), alice, id)
	if err != nil {
		t.Fatal(err)
	}
	return session.Title
}

// fainting is an observer that calls a function at the start of each run.
type fainting struct {
	lastRun

	starting       func()
	started, ended atomic.Int32
}

func (f *fainting) RunStarted(ctx context.Context, _ chat.Run) context.Context {
	f.starting()
	f.started.Add(1)
	return ctx
}
func (f *fainting) RunEnded(context.Context, chat.Run) { f.ended.Add(1) }

// A panic at the start of a run is the failure of that run, and of nothing
// else; the observer is told of no end without a start.
func TestPanicWhileARunStarts(t *testing.T) {
	t.Parallel()
	observer := &fainting{starting: onceOnly()}
	service, written := startOn(t, chat.Options{
		Store: openStore(t), Model: says(end, "Yes."), Observer: observer,
	})
	session, run := ask(t, service)
	if err := run.Opened(t.Context()); err == nil {
		t.Fatal("the run was answered")
	}
	written.wantPanic(t)
	awaitAnswer(t, service, session.ID)
	if started, ended := observer.started.Load(), observer.ended.Load(); started != 1 || ended != 1 {
		t.Errorf("the observer was told of %d starts and %d ends, want 1 and 1", started, ended)
	}
}

// A panic of the store while it stores a run is the failure of that request; a
// later Shutdown does not wait for the run, and the thread takes the next one.
func TestPanicWhileARunIsStored(t *testing.T) {
	t.Parallel()
	db := &hooked{Store: openStore(t), stored: func() error { panic("boom") }}
	service, _ := startOn(t, chat.Options{Store: db, Model: says(end, "Yes.")})
	session, err := service.CreateSession(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("StartRun did not pass on the store's panic")
			}
		}()
		_, _ = service.StartRun(t.Context(), hello(session.ID))
	}()
	db.stored = func() error { return nil }
	awaitAnswer(t, service, session.ID)
}

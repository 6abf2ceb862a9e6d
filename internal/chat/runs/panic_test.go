package runs_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/runs"
)

// onceOnly panics the first time.
func onceOnly() func() {
	var first sync.Once
	return func() { first.Do(func() { panic("boom") }) }
}

// testLog is a log that a test reads.
type testLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *testLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

// wantPanic waits for a line about a panic, with its stack: the run may end
// before the line is written.
func (l *testLog) wantPanic(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		text := l.String()
		if strings.Contains(text, "a run panicked") && strings.Contains(text, "panic_test.go") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the log does not name the panic and its place: %s", text)
		}
	}
}

// String returns what was logged so far.
func (l *testLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func startOn(t *testing.T, o runs.Options) (*runs.Service, *testLog) {
	t.Helper()
	written := &testLog{}
	o.Logger = slog.New(slog.NewTextHandler(written, nil))
	o.Log = newLog()
	o.Limits = runs.Limits{
		SessionsPerUser: 10, MessageChars: 500, HistoryMessages: 40, HistoryChars: 32000, RunTime: o.Limits.RunTime,
	}
	service := runs.NewService(o)
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

// A panic while the end is saved fails the run: its followers get the failure,
// and the thread takes the next message.
func TestPanicWhileTheEndIsSaved(t *testing.T) {
	t.Parallel()
	observer := &testObserver{}
	boom := onceOnly()
	db := &storeHooks{Store: openStore(t), finish: func(_ chat.Run, items []chat.Item, store finishFunc) (chat.Session, error) {
		if len(items) > 0 {
			boom()
		}
		return store()
	}}
	service, written := startOn(t, runs.Options{
		Store: db, Model: &steps{answers: [][]chat.Chunk{text("Yes.")}}, Observer: observer,
	})
	session, run := ask(t, service)
	if event := failed(t, follow(t, run, nil)); strings.Contains(event.Message, "boom") {
		t.Errorf("the message shows the panic: %q", event.Message)
	}
	written.wantPanic(t)
	say(t, service, session.ID, "again")
	wantHistory(t, service, session.ID, "user_message: hello", "user_message: again", "assistant_message: Yes.")
	if _, ended := observer.counts(); ended != 2 {
		t.Errorf("%d ends were observed, want 2", ended)
	}
}

// A panic after the end was saved does not change the end.
func TestPanicAfterTheEndIsSaved(t *testing.T) {
	t.Parallel()
	service, written := startOn(t, runs.Options{
		Store: openStore(t), Model: &steps{answers: [][]chat.Chunk{text("Yes.")}},
		Observer: &testObserver{onEnd: func() { panic("boom") }},
	})
	session, run := ask(t, service)
	if events := sequence(follow(t, run, nil)); !slices.Contains(events, "done assistant_message") {
		t.Errorf("the events are %q", events)
	}
	written.wantPanic(t)
	wantHistory(t, service, session.ID, "user_message: hello", "assistant_message: Yes.")
}

// A panic while a title is made leaves the title of the first message; the next
// exchange makes one.
func TestPanicWhileATitleIsMade(t *testing.T) {
	t.Parallel()
	for name, panics := range map[string]struct{ title, claim func() }{
		"in the model": {title: onceOnly(), claim: func() {}},
		"in the store": {title: func() {}, claim: onceOnly()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole := once(chat.Chunk{Text: "Rain"})
			service, written := startOn(t, runs.Options{
				Store: &storeHooks{Store: openStore(t), claimTitle: panics.claim}, TitleModel: "a/namer",
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

func titleIn(t *testing.T, service *runs.Service, id uuid.UUID) string {
	t.Helper()
	session, err := service.OpenThread(t.Context(), alice, id)
	if err != nil {
		t.Fatal(err)
	}
	return session.Title
}

// A panic at the start of a run fails that run and nothing else; the observer
// sees no end without a start.
func TestPanicWhileARunStarts(t *testing.T) {
	t.Parallel()
	observer := &testObserver{onStart: onceOnly()}
	service, written := startOn(t, runs.Options{
		Store: openStore(t), Model: says(end, "Yes."), Observer: observer,
	})
	session, run := ask(t, service)
	if err := run.Opened(t.Context()); err == nil {
		t.Fatal("the run was answered")
	}
	written.wantPanic(t)
	awaitAnswer(t, service, session.ID)
	if started, ended := observer.counts(); started != 1 || ended != 1 {
		t.Errorf("%d starts and %d ends were observed, want 1 and 1", started, ended)
	}
}

// A panic of the store while it stores a run fails that request. A later Shutdown
// does not wait for the run, and the thread takes the next one.
func TestPanicWhileARunIsStored(t *testing.T) {
	t.Parallel()
	db := &storeHooks{Store: openStore(t), start: afterStart(func() error { panic("boom") })}
	service, _ := startOn(t, runs.Options{Store: db, Model: says(end, "Yes.")})
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
	db.start = nil
	awaitAnswer(t, service, session.ID)
}

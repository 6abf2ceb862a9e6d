package runs_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/runs"
)

func hello(session uuid.UUID) runs.RunRequest {
	return runs.RunRequest{
		UserID: alice, SessionID: session, ThreadID: session,
		Content: []chat.Content{{Type: chat.ContentInputText, Text: "hello"}},
	}
}

// A session may be deleted between the storing of a run and its first step.
func TestDeletingASessionWhoseRunIsStarting(t *testing.T) {
	t.Parallel()
	db := &storeHooks{Store: openStore(t)}
	asked := false
	service := newService(t, db, scripted{func(ctx context.Context) (chat.Chunk, error) {
		asked = ctx.Err() == nil
		<-ctx.Done()
		return chat.Chunk{}, ctx.Err()
	}})
	session, err := service.CreateSession(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	db.start = afterStart(func() error { return service.DeleteSession(t.Context(), alice, session.ID) })
	run, err := service.StartRun(t.Context(), hello(session.ID))
	if err != nil {
		t.Fatal(err)
	}
	failed(t, follow(t, run, nil))
	if asked {
		t.Error("the model was asked for a deleted session")
	}
}

// A start that is stored after its request was cancelled, as by PostgreSQL when
// a connection ends, does not block its thread.
func TestStartThatIsStoredLater(t *testing.T) {
	t.Parallel()
	var once sync.Once
	var late sync.WaitGroup
	db := &storeHooks{Store: openStore(t), start: func(ctx context.Context, store startFunc) (started chat.StartedRun, err error) {
		once.Do(func() {
			err = context.Canceled
			late.Go(func() {
				time.Sleep(200 * time.Millisecond)
				_, _ = store(context.WithoutCancel(ctx))
			})
		})
		if err != nil {
			return started, err
		}
		return store(ctx)
	}}
	service := newService(t, db, says(end, "an answer"))
	session, err := service.CreateSession(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := service.StartRun(t.Context(), hello(session.ID)); !errors.Is(err, context.Canceled) {
		t.Fatalf("the start: %v", err)
	}
	late.Wait()
	awaitAnswer(t, service, session.ID)
}

// A run whose start failed after it was stored does not block its thread.
func TestStartWhoseOutcomeIsUnknown(t *testing.T) {
	t.Parallel()
	db := &storeHooks{Store: openStore(t)}
	db.start = afterStart(func() error { return chat.ErrStoreUnavailable(errors.New("the connection broke")) })
	service := newService(t, db, says(end, "an answer"))
	session, err := service.CreateSession(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := service.StartRun(t.Context(), hello(session.ID)); chat.CodeOf(err) != chat.CodeServiceUnavailable {
		t.Fatalf("the start: %v", err)
	}
	db.start = nil
	awaitAnswer(t, service, session.ID)
	wantHistory(t, service, session.ID, "user_message: hello", "user_message: hello", "assistant_message: an answer")
}

// awaitAnswer sends a message until the thread takes it.
func awaitAnswer(t *testing.T, service *runs.Service, session uuid.UUID) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		run, err := service.StartRun(t.Context(), hello(session))
		if err == nil {
			follow(t, run, nil)
			return
		}
		if chat.CodeOf(err) != chat.CodeRunInProgress || time.Now().After(deadline) {
			t.Fatalf("the next start: %v", err)
		}
	}
}

// A client that reads a run's end in the database may send the next message at
// once.
func TestMessageBeforeTheLastRunIsUnregistered(t *testing.T) {
	t.Parallel()
	committed := make(chan struct{}, 2)
	db := &storeHooks{Store: openStore(t), finish: func(_ chat.Run, _ []chat.Item, store finishFunc) (chat.Session, error) {
		session, err := store()
		committed <- struct{}{}
		time.Sleep(100 * time.Millisecond) // The database's answer takes its time.
		return session, err
	}}
	service := newService(t, db, says(end, "an answer"))
	session, run := ask(t, service)
	<-committed
	if _, err := service.StartRun(t.Context(), hello(session.ID)); err != nil {
		t.Errorf("the next message: %v", err)
	}
	follow(t, run, nil)
}

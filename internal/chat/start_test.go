package chat_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// hooked is a store on which something happens once a run's start is stored.
type hooked struct {
	chat.Store

	stored func() error
}

func (h *hooked) StartRun(ctx context.Context, start chat.NewRun, limit int) (chat.StartedRun, error) {
	started, err := h.Store.StartRun(ctx, start, limit)
	if err != nil {
		return started, err
	}
	return started, h.stored()
}

func hello(session uuid.UUID) chat.RunRequest {
	return chat.RunRequest{
		UserID: alice, SessionID: session, ThreadID: session,
		Content: []chat.Content{{Type: chat.ContentInputText, Text: "hello"}},
	}
}

// A session may be deleted between the storing of a run and its first step.
func TestDeletingASessionWhoseRunIsStarting(t *testing.T) {
	t.Parallel()
	db := &hooked{Store: openStore(t)}
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
	db.stored = func() error { return service.DeleteSession(t.Context(), alice, session.ID) }
	run, err := service.StartRun(t.Context(), hello(session.ID))
	if err != nil {
		t.Fatal(err)
	}
	failed(t, follow(t, run, nil))
	if asked {
		t.Error("the model was asked for a session that is gone")
	}
}

// slow is a database that stores a start after it was given up, as PostgreSQL
// does when its client's connection ends.
type slow struct {
	chat.Store

	late sync.WaitGroup
	once sync.Once
}

func (s *slow) StartRun(ctx context.Context, start chat.NewRun, limit int) (started chat.StartedRun, err error) {
	s.once.Do(func() {
		err = context.Canceled
		s.late.Go(func() {
			time.Sleep(200 * time.Millisecond)
			_, _ = s.Store.StartRun(context.WithoutCancel(ctx), start, limit)
		})
	})
	if err != nil {
		return started, err
	}
	return s.Store.StartRun(ctx, start, limit)
}

// A start that the store goes on with after it failed frees its thread too.
func TestStartThatIsStoredLater(t *testing.T) {
	t.Parallel()
	db := &slow{Store: openStore(t)}
	service := newService(t, db, says(end, "an answer"))
	session, err := service.CreateSession(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := service.StartRun(t.Context(), hello(session.ID)); !errors.Is(err, context.Canceled) {
		t.Fatalf("the start: %v", err)
	}
	db.late.Wait()
	awaitAnswer(t, service, session.ID)
}

// A run whose start failed after it was stored does not block its thread.
func TestStartWhoseOutcomeIsUnknown(t *testing.T) {
	t.Parallel()
	db := &hooked{Store: openStore(t)}
	db.stored = func() error { return chat.ErrStoreUnavailable(errors.New("the connection broke")) }
	service := newService(t, db, says(end, "an answer"))
	session, err := service.CreateSession(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := service.StartRun(t.Context(), hello(session.ID)); chat.CodeOf(err) != chat.CodeServiceUnavailable {
		t.Fatalf("the start: %v", err)
	}
	db.stored = func() error { return nil }
	awaitAnswer(t, service, session.ID)
	wantHistory(t, service, session.ID, "user_message: hello", "user_message: hello", "assistant_message: an answer")
}

// awaitAnswer sends a message until the thread takes it.
func awaitAnswer(t *testing.T, service *chat.Service, session uuid.UUID) {
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

// ending is a store whose saving of a run's end is committed and then takes
// its time, as a connection's answer may.
type ending struct {
	chat.Store

	committed chan struct{}
	pause     time.Duration
}

func (e *ending) FinishRun(ctx context.Context, run chat.Run, items []chat.Item) (chat.Session, error) {
	session, err := e.Store.FinishRun(ctx, run, items)
	e.committed <- struct{}{}
	time.Sleep(e.pause)
	return session, err
}

// A client that reads a run's end in the database may send the next message at
// once.
func TestMessageWhileTheRunBeforeItLeaves(t *testing.T) {
	t.Parallel()
	db := &ending{Store: openStore(t), committed: make(chan struct{}, 2), pause: 100 * time.Millisecond}
	service := newService(t, db, says(end, "an answer"))
	session, run := ask(t, service)
	<-db.committed
	if _, err := service.StartRun(t.Context(), hello(session.ID)); err != nil {
		t.Errorf("the next message: %v", err)
	}
	follow(t, run, nil)
}

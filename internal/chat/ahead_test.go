package chat_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// asked is a model that tells when it is asked, and when its answers are closed.
type asked struct {
	questions chan chat.ModelRequest
	closed    chan struct{}
}

func newAsked() *asked {
	return &asked{questions: make(chan chat.ModelRequest, 10), closed: make(chan struct{}, 10)}
}

func (a *asked) Stream(ctx context.Context, req chat.ModelRequest) (chat.ModelStream, error) {
	a.questions <- req
	stream, err := says(end, "Yes.").Stream(ctx, req)
	return &closing{ModelStream: stream, closed: a.closed}, err
}

// closing tells the first time that it is closed.
type closing struct {
	chat.ModelStream

	once   atomic.Bool
	closed chan<- struct{}
}

func (c *closing) Close() error {
	if c.once.CompareAndSwap(false, true) {
		c.closed <- struct{}{}
	}
	return c.ModelStream.Close()
}

// finding is a store that does something between what a run finds and its
// being stored; if that fails, nothing is stored.
type finding struct {
	chat.Store

	found func() error
}

// unstored is what ends a start before its transaction.
type unstored struct{ error }

func (f *finding) StartRun(ctx context.Context, start chat.NewRun, limit int) (started chat.StartedRun, err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case unstored:
			err = chat.ErrStoreUnavailable(p.error)
		default:
			panic(p)
		}
	}()
	told := start.Found
	start.Found = func(history []chat.Item) {
		told(history)
		if err := f.found(); err != nil {
			panic(unstored{err})
		}
	}
	return f.Store.StartRun(ctx, start, limit)
}

// counting counts the runs that an observer is told of.
type counting struct {
	lastRun

	started, ended, dropped atomic.Int32
}

func (c *counting) RunStarted(ctx context.Context, _ chat.Run) context.Context {
	c.started.Add(1)
	return ctx
}
func (c *counting) RunEnded(context.Context, chat.Run) { c.ended.Add(1) }
func (c *counting) RunDropped(context.Context)         { c.dropped.Add(1) }

func receive[T any](t *testing.T, from <-chan T, what string) (got T) {
	t.Helper()
	select {
	case got = <-from:
	case <-time.After(10 * time.Second):
		t.Fatalf("%s: nothing after ten seconds", what)
	}
	return got
}

// converse has two messages answered.
func converse(t *testing.T, service *chat.Service, model *asked) uuid.UUID {
	t.Helper()
	session, err := service.CreateSession(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		run, err := service.StartRun(t.Context(), hello(session.ID))
		if err != nil {
			t.Fatal(err)
		}
		follow(t, run, nil)
		receive(t, model.questions, "the question")
		receive(t, model.closed, "the answer's end")
	}
	return session.ID
}

// SQLite is told to store a run only once the model has the question.
func TestQuestionGoesWhileItsRunIsStored(t *testing.T) {
	t.Parallel()
	model := newAsked()
	db := &finding{Store: openStore(t), found: func() error { return nil }}
	service := newService(t, db, model)
	session := converse(t, service, model)
	var question chat.ModelRequest
	db.found = func() error {
		question = receive(t, model.questions, "the question before the run is stored")
		return nil
	}
	run, err := service.StartRun(t.Context(), hello(session))
	if err != nil {
		t.Fatal(err)
	}
	follow(t, run, nil)
	if len(question.Messages) != 5 || question.Messages[4].Content != "hello" || question.Messages[3].Content != "Yes." {
		t.Errorf("the question is %+v", question.Messages)
	}
	wantHistory(t, service, session,
		"user_message: hello", "assistant_message: Yes.", "user_message: hello", "assistant_message: Yes.",
		"user_message: hello", "assistant_message: Yes.")
}

// A run that cannot be stored cancels its question; the next one asks nothing
// before it is stored, so that a database that takes no writes costs no more.
func TestQuestionOfARunThatCannotBeStored(t *testing.T) {
	t.Parallel()
	model, observer := newAsked(), &counting{}
	db := &finding{Store: openStore(t), found: func() error { return nil }}
	service, _ := startOn(t, chat.Options{Store: db, Model: model, Observer: observer})
	session, other := converse(t, service, model), converse(t, service, model)
	full := errors.New("the disk is full")
	db.found = func() error {
		receive(t, model.questions, "the question before the run is stored")
		return full
	}
	if _, err := service.StartRun(t.Context(), hello(session)); chat.CodeOf(err) != chat.CodeServiceUnavailable {
		t.Fatalf("the start: %v", err)
	}
	receive(t, model.closed, "the end of an answer nobody waits for")
	if _, err := service.StartRun(t.Context(), hello(uuid.New())); chat.CodeOf(err) != chat.CodeSessionNotFound {
		t.Fatalf("a start that is refused: %v", err) // It shows nothing of what can be stored.
	}
	// Whoever asks nothing readies nothing, and so tells of no run.
	db.found = func() error { return full }
	if _, err := service.StartRun(t.Context(), hello(other)); chat.CodeOf(err) != chat.CodeServiceUnavailable {
		t.Fatalf("the start: %v", err)
	}
	db.found = func() error { return nil }
	awaitAnswer(t, service, session)
	receive(t, model.questions, "the question of the run that was stored")
	db.found = func() error {
		receive(t, model.questions, "the question, as before")
		return nil
	}
	run, err := service.StartRun(t.Context(), hello(session))
	if err != nil {
		t.Fatal(err)
	}
	follow(t, run, nil)
	wantHistory(t, service, other, "user_message: hello", "assistant_message: Yes.", "user_message: hello", "assistant_message: Yes.")
	if started, ended, dropped := observer.started.Load(), observer.ended.Load(), observer.dropped.Load(); started != ended+dropped || dropped != 1 {
		t.Errorf("the observer was told of %d runs, %d ends and %d dropped", started, ended, dropped)
	}
}

// While the database hangs, few questions go before their runs are stored.
func TestQuestionsWhileTheDatabaseHangs(t *testing.T) {
	t.Parallel()
	model, observer := newAsked(), &counting{}
	db := &finding{Store: openStore(t), found: func() error { return nil }}
	service, _ := startOn(t, chat.Options{Store: db, Model: model, Observer: observer})
	const threads = 9
	var sessions []uuid.UUID
	for range threads {
		sessions = append(sessions, converse(t, service, model))
	}
	reached, hang := make(chan struct{}, threads), make(chan struct{})
	db.found = func() error {
		reached <- struct{}{}
		<-hang
		return errors.New("the disk is gone")
	}
	var starts sync.WaitGroup
	for _, session := range sessions {
		starts.Go(func() {
			if _, err := service.StartRun(t.Context(), hello(session)); err == nil {
				t.Error("a start succeeds")
			}
		})
	}
	for range threads {
		receive(t, reached, "a start that has found its history")
	}
	close(hang)
	starts.Wait()
	if dropped := observer.dropped.Load(); dropped != 4 {
		t.Errorf("%d questions went before their runs were stored, want 4", dropped)
	}
}

// stuck is a model that does not even take a question once it is told to.
type stuck struct {
	chat.Model

	sticks  atomic.Bool
	release chan struct{}
}

func (m *stuck) Stream(ctx context.Context, req chat.ModelRequest) (chat.ModelStream, error) {
	if m.sticks.Load() {
		<-m.release
		return says(end, "Yes.").Stream(ctx, req)
	}
	return m.Model.Stream(ctx, req)
}

// A question that does not get on its way does not keep its message from being
// stored.
func TestQuestionThatIsNotSent(t *testing.T) {
	t.Parallel()
	model := &stuck{Model: newAsked(), release: make(chan struct{})}
	service, _ := startOn(t, chat.Options{Store: openStore(t), Model: model})
	session := converse(t, service, model.Model.(*asked))
	model.sticks.Store(true)
	run, err := service.StartRun(t.Context(), hello(session))
	close(model.release)
	if err != nil {
		t.Fatal(err)
	}
	follow(t, run, nil)
}

// misleading is a store that may tell of a history that is not the thread's.
type misleading struct {
	chat.Store

	misleads bool
}

func (m *misleading) StartRun(ctx context.Context, start chat.NewRun, limit int) (chat.StartedRun, error) {
	if !m.misleads {
		return m.Store.StartRun(ctx, start, limit)
	}
	stale := start.Message
	stale.Content = []chat.Content{{Type: chat.ContentInputText, Text: "stale"}}
	start.Found([]chat.Item{stale})
	start.Found = nil
	started, err := m.Store.StartRun(ctx, start, limit)
	started.Misled = true
	return started, err
}

// A question of a history that is not the thread's is taken back, and asked
// anew.
func TestQuestionOfAnotherHistory(t *testing.T) {
	t.Parallel()
	model, observer := newAsked(), &counting{}
	db := &misleading{Store: openStore(t)}
	service, _ := startOn(t, chat.Options{Store: db, Model: model, Observer: observer})
	session := converse(t, service, model)
	db.misleads = true
	for range 20 {
		run, err := service.StartRun(t.Context(), hello(session))
		if err != nil {
			t.Fatal(err)
		}
		follow(t, run, nil)
		// The first may have been taken back before it went.
		question := receive(t, model.questions, "a question")
		receive(t, model.closed, "the end of an answer")
		if question.Messages[0].Content == "stale" {
			question = receive(t, model.questions, "the question asked anew")
			receive(t, model.closed, "the end of its answer")
		}
		if len(question.Messages) < 5 || question.Messages[0].Content != "hello" {
			t.Fatalf("the question has %d messages, the first is %q", len(question.Messages), question.Messages[0].Content)
		}
	}
	if started, ended, dropped := observer.started.Load(), observer.ended.Load(), observer.dropped.Load(); started != ended+dropped || dropped != 20 {
		t.Errorf("the observer was told of %d runs, %d ends and %d dropped", started, ended, dropped)
	}
}

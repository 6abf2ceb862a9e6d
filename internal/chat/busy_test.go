package chat_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// inHand is a store of one running run a thread, which the test has in hand:
// each is told of its history when it may go, stored when it may begin, and ended
// when it may.
type inHand struct {
	chat.Store

	runs                    atomic.Int32
	entered                 atomic.Int32
	lease                   atomic.Int64 // what the last start had of it, in nanoseconds
	stoodBack               atomic.Int64 // for how long it did, in nanoseconds
	mayGo, mayBegin, mayEnd chan struct{}
}

func (s *inHand) StartRun(_ context.Context, start chat.NewRun, _ int) (chat.StartedRun, error) {
	s.entered.Add(1)
	s.lease.Store(int64(time.Until(start.Run.LeaseUntil)))
	<-s.mayGo
	told := time.Now()
	start.Found(nil)
	s.stoodBack.Store(int64(time.Since(told)))
	<-s.mayBegin
	if s.runs.Add(1) > 1 {
		return chat.StartedRun{}, chat.ErrRunInProgress()
	}
	return chat.StartedRun{Session: chat.Session{ID: start.Run.SessionID}}, nil
}

func (s *inHand) FinishRun(_ context.Context, run chat.Run, _ []chat.Item) (chat.Session, error) {
	<-s.mayEnd
	s.runs.Store(0)
	return chat.Session{ID: run.SessionID}, nil
}

func (*inHand) DeleteSession(context.Context, string, uuid.UUID) error { return nil }

func (*inHand) Session(_ context.Context, _ string, id uuid.UUID) (chat.Session, error) {
	return chat.Session{ID: id}, nil
}

// starter starts a run, and returns when it goes no further for now.
type starter func(ctx context.Context, user string, session uuid.UUID) <-chan error

// inBubble has a service on a store in hand that has stored a run before, so that
// it asks ahead.
func inBubble(t *testing.T, test func(t *testing.T, db *inHand, model *asked, start starter)) {
	t.Helper()
	inBubbleWith(t, func(t *testing.T, _ *chat.Service, db *inHand, model *asked, start starter) {
		test(t, db, model, start)
	})
}

// inBubbleWith is inBubble for who needs the service itself.
func inBubbleWith(t *testing.T, test func(t *testing.T, service *chat.Service, db *inHand, model *asked, start starter)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		db, model := &inHand{mayGo: make(chan struct{}), mayBegin: make(chan struct{}), mayEnd: make(chan struct{})}, newAsked()
		service := chat.NewService(chat.Options{
			Store: db, Model: model, Limits: chat.Limits{MessageChars: 500, HistoryMessages: 40, HistoryChars: 32000},
		})
		start := func(ctx context.Context, user string, session uuid.UUID) <-chan error {
			came, request := make(chan error, 1), hello(session)
			request.UserID = user
			go func() {
				_, err := service.StartRun(ctx, request)
				came <- err
			}()
			synctest.Wait()
			return came
		}
		first := start(t.Context(), alice, uuid.New())
		db.mayGo <- struct{}{}
		db.mayBegin <- struct{}{}
		if err := <-first; err != nil {
			t.Fatal(err)
		}
		<-model.questions
		db.mayEnd <- struct{}{}
		synctest.Wait()
		db.entered.Store(0)
		test(t, service, db, model, start)
		if err := service.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// wantAsked wants the model to have been asked so often.
func wantAsked(t *testing.T, model *asked, times int) {
	t.Helper()
	synctest.Wait()
	if got := len(model.questions); got != times {
		t.Fatalf("the model was asked %d times, want %d", got, times)
	}
}

// wantOneTaken wants one of the messages to be taken, and the others to be refused.
func wantOneTaken(t *testing.T, all ...<-chan error) {
	t.Helper()
	taken := 0
	for _, came := range all {
		if err := <-came; err == nil {
			taken++
		}
	}
	if taken != 1 {
		t.Errorf("%d of %d messages were taken, want one", taken, len(all))
	}
}

// Nothing is stored in a thread before the run whose question is out.
func TestMessageWaitsForAQuestionThatIsOut(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, db *inHand, model *asked, start starter) {
		session := uuid.New()
		first := start(t.Context(), alice, session)
		db.mayGo <- struct{}{}
		wantAsked(t, model, 1)
		second, third := start(t.Context(), alice, session), start(t.Context(), alice, session)
		if entered := db.entered.Load(); entered != 1 {
			t.Fatalf("%d starts went to the store", entered)
		}
		stranger := start(t.Context(), "mallory", session) // Nobody waits for those, nor they for anybody.
		if entered := db.entered.Load(); entered != 2 {
			t.Fatalf("with a stranger's, %d starts went to the store", entered)
		}
		db.mayBegin <- struct{}{}
		if err := <-first; err != nil {
			t.Fatal(err)
		}
		for _, refused := range []<-chan error{second, third} {
			if err := <-refused; chat.CodeOf(err) != chat.CodeRunInProgress {
				t.Errorf("beside the first: %v", err)
			}
		}
		wantAsked(t, model, 1)
		db.mayGo <- struct{}{}
		db.mayBegin <- struct{}{}
		if err := <-stranger; err == nil {
			t.Error("a stranger's message was taken")
		}
		db.mayEnd <- struct{}{}
	})
}

// Where another message may be stored first, no question goes before its run is.
func TestNoQuestionGoesBesideAnotherMessage(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, db *inHand, model *asked, start starter) {
		session := uuid.New()
		first, second := start(t.Context(), alice, session), start(t.Context(), alice, session)
		db.mayGo <- struct{}{}
		db.mayGo <- struct{}{}
		wantAsked(t, model, 0)
		db.mayBegin <- struct{}{}
		db.mayBegin <- struct{}{}
		wantOneTaken(t, first, second)
		wantAsked(t, model, 1)
		db.mayEnd <- struct{}{}
	})
}

// A message that waits for another goes when that one could not be stored, and
// leaves with its client.
func TestMessageThatWaitsForAnother(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, db *inHand, model *asked, start starter) {
		session := uuid.New()
		first := start(t.Context(), alice, session)
		db.mayGo <- struct{}{}
		wantAsked(t, model, 1)
		second := start(t.Context(), alice, session)
		ctx, leave := context.WithCancel(t.Context())
		third := start(ctx, alice, session)
		leave()
		if err := <-third; !errors.Is(err, context.Canceled) {
			t.Errorf("the third, whose client has left: %v", err)
		}
		db.runs.Store(1) // So that the first is refused.
		db.mayBegin <- struct{}{}
		if err := <-first; chat.CodeOf(err) != chat.CodeRunInProgress {
			t.Fatalf("the first: %v", err)
		}
		db.runs.Store(0)
		db.mayGo <- struct{}{}
		db.mayBegin <- struct{}{}
		if err := <-second; err != nil {
			t.Errorf("the second: %v", err)
		}
		wantAsked(t, model, 2)
		db.mayEnd <- struct{}{}
	})
}

// Of two that waited neither asks ahead of the other, and their leases begin when
// the waiting ends.
func TestMessagesThatWaitedTogether(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, db *inHand, model *asked, start starter) {
		session := uuid.New()
		first := start(t.Context(), alice, session)
		db.mayGo <- struct{}{}
		wantAsked(t, model, 1)
		second, third := start(t.Context(), alice, session), start(t.Context(), alice, session)
		time.Sleep(20 * time.Second)
		db.runs.Store(1) // So that the first is refused.
		db.mayBegin <- struct{}{}
		if err := <-first; err == nil {
			t.Fatal("the first was taken")
		}
		db.runs.Store(0)
		synctest.Wait()
		if lease := time.Duration(db.lease.Load()); lease != 15*time.Second {
			t.Errorf("a message that waited has a lease of %s", lease)
		}
		db.mayGo <- struct{}{}
		db.mayGo <- struct{}{}
		wantAsked(t, model, 1)
		db.mayBegin <- struct{}{}
		db.mayBegin <- struct{}{}
		wantOneTaken(t, second, third)
		wantAsked(t, model, 2)
		db.mayEnd <- struct{}{}
	})
}

// Messages at once leave their thread's next one its question ahead.
func TestQuestionGoesAheadAfterMessagesAtOnce(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, db *inHand, model *asked, start starter) {
		for round := range 6 {
			session := uuid.New()
			first, second := start(t.Context(), alice, session), start(t.Context(), alice, session)
			db.mayGo <- struct{}{}
			db.mayGo <- struct{}{}
			wantAsked(t, model, 0)
			db.mayBegin <- struct{}{}
			db.mayBegin <- struct{}{}
			wantOneTaken(t, first, second)
			wantAsked(t, model, 1)
			<-model.questions
			db.mayEnd <- struct{}{}
			synctest.Wait()
			if round < 5 {
				continue
			}
			third := start(t.Context(), alice, session)
			db.mayGo <- struct{}{}
			wantAsked(t, model, 1)
			db.mayBegin <- struct{}{}
			if err := <-third; err != nil {
				t.Error(err)
			}
			db.mayEnd <- struct{}{}
		}
	})
}

// In a crowd the storing of runs does not stand back.
func TestCrowdDoesNotStandBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := &inHand{mayGo: make(chan struct{}), mayBegin: make(chan struct{}), mayEnd: make(chan struct{})}
		service := chat.NewService(chat.Options{
			Store: db, Model: &taking{time.Second}, Limits: chat.Limits{MessageChars: 500, HistoryMessages: 40, HistoryChars: 32000},
		})
		close(db.mayGo)
		close(db.mayEnd)
		start := func() {
			go func() { _, _ = service.StartRun(t.Context(), hello(uuid.New())) }()
			time.Sleep(10 * time.Millisecond)
		}
		start()
		db.mayBegin <- struct{}{} // One that is stored lets those after it ask ahead.
		time.Sleep(10 * time.Second)
		for _, want := range []time.Duration{3 * time.Millisecond, 3 * time.Millisecond, 0, 0} {
			start()
			if got := time.Duration(db.stoodBack.Load()); got != want {
				t.Errorf("a start stood back for %s, want %s", got, want)
			}
		}
		close(db.mayBegin)
		time.Sleep(10 * time.Second)
		if err := service.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Where no question may go ahead any more, nobody waits for one.
func TestNobodyWaitsWithoutAQuestion(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, db *inHand, model *asked, start starter) {
		var all []<-chan error
		for n := range 5 {
			all = append(all, start(t.Context(), alice, uuid.New()))
			db.mayGo <- struct{}{}
			wantAsked(t, model, min(n+1, 4))
		}
		session := uuid.New()
		all = append(all, start(t.Context(), alice, session))
		db.mayGo <- struct{}{}
		wantAsked(t, model, 4)
		all = append(all, start(t.Context(), alice, session))
		if entered := db.entered.Load(); entered != 7 {
			t.Errorf("%d starts went to the store, want 7", entered)
		}
		db.mayGo <- struct{}{}
		close(db.mayBegin)
		close(db.mayEnd)
		for _, came := range all { // The store takes one run at a time, whatever the thread.
			if err := <-came; err != nil && chat.CodeOf(err) != chat.CodeRunInProgress {
				t.Error(err)
			}
		}
	})
}

// A message that waits does not keep a server that stops, nor is it held by a
// session that is gone.
func TestMessageThatNeedNotWait(t *testing.T) {
	t.Parallel()
	inBubbleWith(t, func(t *testing.T, service *chat.Service, db *inHand, model *asked, start starter) {
		session := uuid.New()
		first := start(t.Context(), alice, session)
		db.mayGo <- struct{}{}
		wantAsked(t, model, 1)
		second := start(t.Context(), alice, session)
		if err := service.DeleteSession(t.Context(), alice, session); err != nil {
			t.Fatal(err)
		}
		if err := <-second; chat.CodeOf(err) != chat.CodeSessionNotFound {
			t.Errorf("when the session is gone: %v", err)
		}
		third := start(t.Context(), alice, session)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		stopped := make(chan struct{})
		go func() {
			_ = service.Shutdown(ctx)
			close(stopped)
		}()
		if err := <-third; chat.CodeOf(err) != chat.CodeServiceUnavailable {
			t.Errorf("when the server stops: %v", err)
		}
		db.mayBegin <- struct{}{}
		close(db.mayEnd)
		wantOneTaken(t, first)
		<-stopped
	})
}

// A message that comes while an end stands back waits for it.
func TestMessageWhileAnEndStandsBack(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, db *inHand, model *asked, start starter) {
		session := uuid.New()
		first := start(t.Context(), alice, session)
		db.mayGo <- struct{}{}
		db.mayBegin <- struct{}{}
		if err := <-first; err != nil {
			t.Fatal(err)
		}
		wantAsked(t, model, 1)
		second := start(t.Context(), alice, session)
		db.mayEnd <- struct{}{}
		db.mayGo <- struct{}{}
		db.mayBegin <- struct{}{}
		if err := <-second; err != nil {
			t.Errorf("the next message: %v", err)
		}
		db.mayEnd <- struct{}{}
	})
}

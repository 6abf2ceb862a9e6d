package chat_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"

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
	mayGo, mayBegin, mayEnd chan struct{}
}

func (s *inHand) StartRun(_ context.Context, start chat.NewRun, _ int) (chat.StartedRun, error) {
	s.entered.Add(1)
	<-s.mayGo
	start.Found(nil)
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

func (*inHand) Session(_ context.Context, _ string, id uuid.UUID) (chat.Session, error) {
	return chat.Session{ID: id}, nil
}

// starter starts a run, and returns when it goes no further for now.
type starter func(ctx context.Context, user string, session uuid.UUID) <-chan error

// inBubble has a service on a store in hand that has stored a run before, so that
// it asks ahead.
func inBubble(t *testing.T, test func(t *testing.T, db *inHand, model *asked, start starter)) {
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
		test(t, db, model, start)
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
		refused := 0
		for _, came := range []<-chan error{first, second} {
			if err := <-came; err != nil {
				refused++
			}
		}
		if refused != 1 {
			t.Errorf("%d of two messages at once were refused", refused)
		}
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

package chat_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// standingBack is a store that notes when it stores the beginning of a run, and
// its end.
type standingBack struct {
	chat.Store

	began, ended chan time.Time
}

func (s *standingBack) StartRun(_ context.Context, start chat.NewRun, _ int) (chat.StartedRun, error) {
	start.Found(nil)
	s.began <- time.Now()
	return chat.StartedRun{Session: chat.Session{ID: start.Run.SessionID}}, nil
}

func (s *standingBack) StartThread(_ context.Context, session chat.Session, _ int, start chat.NewRun) (chat.StartedRun, error) {
	start.Found(nil)
	s.began <- time.Now()
	return chat.StartedRun{Session: session}, nil
}

func (s *standingBack) FinishRun(_ context.Context, run chat.Run, _ []chat.Item) (chat.Session, error) {
	s.ended <- time.Now()
	return chat.Session{ID: run.SessionID}, nil
}

// taking is a model whose answer begins after a time.
type taking struct{ before time.Duration }

func (m *taking) Stream(ctx context.Context, _ chat.ModelRequest) (chat.ModelStream, error) {
	time.Sleep(m.before)
	return says(end, "Yes.").Stream(ctx, chat.ModelRequest{})
}

func onStandingBack() (*chat.Service, *standingBack, *taking) {
	db, model := &standingBack{began: make(chan time.Time, 1), ended: make(chan time.Time, 1)}, &taking{}
	service := chat.NewService(chat.Options{
		Store: db, Model: model, Limits: chat.Limits{MessageChars: 500, HistoryMessages: 40, HistoryChars: 32000},
	})
	return service, db, model
}

// The storing of a run's beginning stands back from its question, no longer than
// its answer is away, and the storing of its end from its last words.
func TestStoringStandsBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service, db, model := onStandingBack()
		for _, c := range []struct{ answer, start time.Duration }{
			{0, 0}, // No run was stored yet, so no question goes ahead.
			{time.Millisecond, time.Millisecond},
			{time.Second, 3 * time.Millisecond},
		} {
			model.before = c.answer
			asked := time.Now()
			run, err := service.StartRun(t.Context(), hello(uuid.New()))
			if err != nil {
				t.Fatal(err)
			}
			if took := (<-db.began).Sub(asked); took != c.start {
				t.Errorf("with an answer after %s the run was stored after %s, want %s", c.answer, took, c.start)
			}
			follow(t, run, isDelta)
			if said := time.Now(); (<-db.ended).Sub(said) != time.Millisecond {
				t.Error("the end did not stand back a millisecond")
			}
			synctest.Wait()
		}
	})
}

// A new thread's question has no head start: the store makes the thread in a
// transaction that others wait for.
func TestNewThreadsQuestionHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service, db, model := onStandingBack()
		for _, answer := range []time.Duration{0, time.Second} { // No run was stored before the first: it does not go ahead.
			model.before = answer
			asked := time.Now()
			run, _, err := service.StartThread(t.Context(), hello(uuid.Nil))
			if err != nil {
				t.Fatal(err)
			}
			if took := (<-db.began).Sub(asked); took != 0 {
				t.Errorf("with an answer after %s others waited for %s", answer, took)
			}
			follow(t, run, isDelta)
			<-db.ended
			synctest.Wait()
		}
	})
}

package chat_test

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// ledger is a store that notes each call; one that it does not know is a panic,
// which is its run's failure.
type ledger struct {
	chat.Store

	mu    sync.Mutex
	calls []string
	saved chat.Run
}

func (l *ledger) note(call string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, call)
}

func (l *ledger) StartRun(_ context.Context, start chat.NewRun, _ int) (chat.StartedRun, error) {
	l.note("StartRun")
	return chat.StartedRun{Session: chat.Session{ID: start.Run.SessionID}}, nil
}

func (l *ledger) FinishRun(_ context.Context, run chat.Run, _ []chat.Item) (chat.Session, error) {
	l.note("FinishRun")
	l.saved = run
	return chat.Session{ID: run.SessionID}, nil
}

func (l *ledger) RenewLeases(context.Context, []uuid.UUID, time.Duration) ([]chat.LostRun, error) {
	l.note("RenewLeases")
	return nil, nil
}

func (l *ledger) FailOrphanedRuns(context.Context, uuid.UUID) (int, error) {
	l.note("FailOrphanedRuns")
	return 0, nil
}

// rambling is a model that thinks and then talks for so long, in so many pieces.
func rambling(length time.Duration, pieces int) scripted {
	came := 0
	return scripted{func(ctx context.Context) (chat.Chunk, error) {
		if came == pieces {
			return end(ctx)
		}
		<-time.After(length / time.Duration(pieces))
		if came++; came <= pieces/2 {
			return chat.Chunk{Reasoning: "hm "}, nil
		}
		return chat.Chunk{Text: "word "}, nil
	}}
}

// A run is written when it starts and when it ends, and nothing for what comes
// in between, however much it is: the leases of all runs together are renewed
// by the clock.
func TestDeltasAreNotWritten(t *testing.T) {
	t.Parallel()
	want := []string{"FailOrphanedRuns", "StartRun", "RenewLeases", "RenewLeases", "FinishRun"}
	for _, pieces := range []int{10, 2000} {
		t.Run(strconv.Itoa(pieces), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				db := &ledger{}
				service := newService(t, db, rambling(12*time.Second, pieces))
				run, err := service.StartRun(t.Context(), hello(uuid.New()))
				if err != nil {
					t.Fatal(err)
				}
				deltas := 0
				for _, event := range follow(t, run, nil) {
					if isDelta(event) {
						deltas++
					}
				}
				if deltas != pieces/2 || db.saved.Status != chat.RunCompleted {
					t.Fatalf("%d deltas, and the run is %s", deltas, db.saved.Status)
				}
				if !slices.Equal(db.calls, want) {
					t.Errorf("the store was called for %d: %q\nwant %q", len(db.calls), db.calls[:min(len(db.calls), 20)], want)
				}
			})
		})
	}
}

package runs_test

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

// callRecorder is a store that records its calls and keeps nothing. A call of any
// other method panics, which fails the run.
type callRecorder struct {
	chat.Store

	mu    sync.Mutex
	calls []string
	saved chat.Run
}

func (r *callRecorder) record(call string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, call)
}

func (r *callRecorder) StartRun(_ context.Context, start chat.NewRun, _ int) (chat.StartedRun, error) {
	r.record("StartRun")
	return chat.StartedRun{Session: chat.Session{ID: start.Run.SessionID}}, nil
}

func (r *callRecorder) FinishRun(_ context.Context, run chat.Run, _ []chat.Item) (chat.Session, error) {
	r.record("FinishRun")
	r.saved = run
	return chat.Session{ID: run.SessionID}, nil
}

func (r *callRecorder) RenewLeases(context.Context, []uuid.UUID, time.Duration) ([]chat.LostRun, error) {
	r.record("RenewLeases")
	return nil, nil
}

func (r *callRecorder) FailOrphanedRuns(context.Context, uuid.UUID) (int, error) {
	r.record("FailOrphanedRuns")
	return 0, nil
}

// verbose is a model whose reasoning and text take the length of time, in so many
// pieces.
func verbose(length time.Duration, pieces int) scripted {
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

// A run is written when it starts and when it ends; deltas are not written. The
// leases of all runs are renewed together, by time alone.
func TestDeltasAreNotWritten(t *testing.T) {
	t.Parallel()
	want := []string{"FailOrphanedRuns", "StartRun", "RenewLeases", "RenewLeases", "FinishRun"}
	for _, pieces := range []int{10, 2000} {
		t.Run(strconv.Itoa(pieces), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				db := &callRecorder{}
				service := newService(t, db, verbose(12*time.Second, pieces))
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

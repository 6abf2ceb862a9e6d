package runs_test

import (
	"context"
	"sync"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// testObserver records what the service reports of its runs. Its hooks may be
// nil; a call whose hook panics is not recorded.
type testObserver struct {
	onStart, onEnd func()

	mu             sync.Mutex
	last           chat.Run
	started, ended int
}

func (o *testObserver) RunStarted(ctx context.Context, _ chat.Run) context.Context {
	if o.onStart != nil {
		o.onStart()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.started++
	return ctx
}

func (o *testObserver) RunEnded(_ context.Context, run chat.Run) {
	if o.onEnd != nil {
		o.onEnd()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = run
	o.ended++
}

func (*testObserver) TitleAsked(context.Context, string, chat.Usage) {}

// lastRun returns the last run that ended, as it ended.
func (o *testObserver) lastRun() chat.Run {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.last
}

// counts returns how many starts and ends were reported.
func (o *testObserver) counts() (started, ended int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.started, o.ended
}

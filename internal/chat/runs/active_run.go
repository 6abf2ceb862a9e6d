package runs

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// ActiveRun is a run that this process executes, as its callers see it: they
// follow its events and may cancel it. It is used concurrently.
type ActiveRun struct {
	ID uuid.UUID

	userID    string
	sessionID uuid.UUID
	log       chat.RunLog
	ctx       context.Context //nolint:containedctx // a run outlives the request that starts it
	cancel    context.CancelCauseFunc

	// opened is closed once it is known whether upstream answers at all.
	// refusal is set before that; it is nil where upstream answers.
	opened  chan struct{}
	refusal error
	once    sync.Once

	// ending is true from the moment the end is being stored. unregistered is
	// closed when the thread takes the next run.
	ending       atomic.Bool
	unregistered chan struct{}
}

// Opened waits until upstream has begun to answer. Returns an UPSTREAM_ERROR
// if upstream refuses, and ctx's error if ctx ends first.
func (r *ActiveRun) Opened(ctx context.Context) error {
	select {
	case <-r.opened:
	case <-ctx.Done():
		return ctx.Err()
	}
	return r.refusal
}

// Follow reads the run's events after the given sequence number; 0 reads all.
func (r *ActiveRun) Follow(after int) chat.Follower { return r.log.Follow(after) }

// open records that upstream answers, or that it refused. Only the first call
// counts.
func (r *ActiveRun) open(refusal error) {
	r.once.Do(func() {
		r.refusal = refusal
		close(r.opened)
	})
}

// Cancel ends the run and does not wait for its end. The part of the answer
// that the model has sent is stored.
func (r *ActiveRun) Cancel(why chat.FailureCode) { r.cancel(cancelled{code: why}) }

// Fail ends the run as Cancel does, because of a fault in this server.
func (r *ActiveRun) Fail(cause error) { r.cancel(cancelled{chat.FailureInternal, cause}) }

// cancelled is the cause of a cancelled run's context.
type cancelled struct {
	code chat.FailureCode
	err  error // nil where the code says all
}

func (c cancelled) Error() string {
	text := "the run was cancelled: " + string(c.code)
	if c.err != nil {
		text += ": " + c.err.Error()
	}
	return text
}

func (c cancelled) Unwrap() error { return c.err }

package chat

import (
	"context"
	"time"

	"golang.org/x/sync/semaphore"
)

const (
	// maxHeldBytes bounds the contents of files that the process holds for
	// requests to the model. A request needs 7/3 of it: it has its images a
	// second time, in base64.
	maxHeldBytes = 100 << 20
	// maxHoldWait is how long a run waits for those before it. They take as
	// long as upstream takes to begin to answer.
	maxHoldWait = 30 * time.Second
	// holdRetry is when a run that waited in vain may be tried again.
	holdRetry = 5 * time.Second
)

// fileHold bounds what all runs together hold of files.
type fileHold struct {
	room *semaphore.Weighted
	wait time.Duration
}

func newFileHold(limit int64, wait time.Duration) fileHold {
	return fileHold{room: semaphore.NewWeighted(limit), wait: wait}
}

// hold waits, in turn, until there is room for size bytes. Returns
// SERVICE_UNAVAILABLE if there is none in time, and ctx's error if ctx ends.
func (h fileHold) hold(ctx context.Context, size int64) (release func(), err error) {
	if size == 0 {
		return func() {}, nil
	}
	if h.room.TryAcquire(size) { // However late it is.
		return func() { h.room.Release(size) }, nil
	}
	waiting, cancel := context.WithTimeout(ctx, h.wait)
	defer cancel()
	if err := h.room.Acquire(waiting, size); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &Error{
			Code: CodeServiceUnavailable, Message: "The server is busy with the files of other messages; try again shortly.",
			RetryAfter: holdRetry, Err: err,
		}
	}
	return func() { h.room.Release(size) }, nil
}

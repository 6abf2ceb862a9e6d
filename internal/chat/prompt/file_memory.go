package prompt

import (
	"context"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

const (
	// maxFileMemory bounds the contents of files that the process has in memory
	// for requests to the model. A request needs 7/3 of it: it has its images a
	// second time, in base64.
	maxFileMemory = 100 << 20
	// maxFileMemoryWait is how long a run waits for memory that other runs use.
	// They use it until upstream begins to answer.
	maxFileMemoryWait = 30 * time.Second
	// fileMemoryRetry is when a run that waited too long may be tried again.
	fileMemoryRetry = 5 * time.Second
)

// FileMemory bounds the memory that all runs together use for files. It is safe
// for concurrent use.
type FileMemory struct {
	free *semaphore.Weighted
	wait time.Duration
}

// NewFileMemory returns a memory of limit bytes, for which a run waits as long as
// wait.
func NewFileMemory(limit int64, wait time.Duration) FileMemory {
	return FileMemory{free: semaphore.NewWeighted(limit), wait: wait}
}

// Acquire waits until size bytes are free and reserves them. Callers are served
// in order. Returns SERVICE_UNAVAILABLE after the longest wait, and ctx's error if
// ctx ends.
func (m FileMemory) Acquire(ctx context.Context, size int64) (release func(), err error) {
	if size == 0 {
		return func() {}, nil
	}
	if m.free.TryAcquire(size) { // Acquire would fail if ctx has ended.
		return func() { m.free.Release(size) }, nil
	}
	waiting, cancel := context.WithTimeout(ctx, m.wait)
	defer cancel()
	if err := m.free.Acquire(waiting, size); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &chat.Error{
			Code: chat.CodeServiceUnavailable, Message: "The server is busy with the files of other messages; try again shortly.",
			RetryAfter: fileMemoryRetry, Err: err,
		}
	}
	return func() { m.free.Release(size) }, nil
}

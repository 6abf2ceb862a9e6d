package chat

import (
	"context"
	"time"
)

// endingWait is how long a message waits for a run before it that is about to
// end: one that is being saved, or was cancelled.
const endingWait = 2 * time.Second

// checkFree refuses a thread whose run lives in this process: the database may
// not know any more, where the run's lease ran out while it was away. Who has
// stopped a run, or reads its end in the database, may send the next message
// at once; it waits until the run has left.
func (s *Service) checkFree(ctx context.Context, what starting) error {
	s.mu.Lock()
	live := s.live[what.sessionID]
	s.mu.Unlock()
	if live == nil || live.leaves(ctx) {
		return nil
	}
	if _, err := s.Store.Session(ctx, what.userID, what.sessionID); err != nil {
		return err
	}
	return ErrRunInProgress()
}

// leaves says whether a run that is about to end has done so.
func (r *ActiveRun) leaves(ctx context.Context) bool {
	if !r.ending.Load() && r.ctx.Err() == nil {
		return false
	}
	limit := time.NewTimer(endingWait)
	defer limit.Stop()
	select {
	case <-r.forgotten:
		return true
	case <-limit.C:
	case <-ctx.Done():
	}
	return false
}

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
func (s *Service) checkFree(ctx context.Context, r *ActiveRun, what starting) error {
	if err := s.awaitTurn(ctx, r); err != nil {
		return err
	}
	r.startAt(s.now(), s.Lease)
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

// awaitTurn waits while a question is out for a run of the thread that is not
// stored yet: one that is stored before it would make the question one in vain.
// Returns ctx's error if ctx ends first, ErrSessionNotFound if the session is
// deleted, and SERVICE_UNAVAILABLE if the server stops.
func (s *Service) awaitTurn(ctx context.Context, r *ActiveRun) error {
	for asking := s.takeTurn(r); asking != nil; asking = s.takeTurn(r) {
		select {
		case <-asking.settled:
		case <-ctx.Done():
			return ctx.Err()
		case <-r.ctx.Done(): // Nothing else cancels a run that has not begun.
			return ErrSessionNotFound()
		case <-s.stopping:
		}
		if s.stops() {
			return errRestarting()
		}
	}
	return nil
}

// takeTurn lets a run go to the store, or returns the one it has to wait for.
func (s *Service) takeTurn(r *ActiveRun) *ActiveRun {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, other := range s.startingBeside(r) {
		if other.asking {
			return other
		}
	}
	r.storing = true
	return nil
}

// holdTurn makes the runs that come to the thread wait for this one. It does
// not where one may be on its way to the store already, nor where this one is
// not to be asked any more.
func (s *Service) holdTurn(r *ActiveRun) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stops() || r.ctx.Err() != nil {
		return false
	}
	for _, other := range s.startingBeside(r) {
		if other.storing {
			return false
		}
	}
	r.asking = true
	return true
}

// startingBeside is for who holds the lock. What another user starts in the
// thread is refused, and nobody waits for it.
func (s *Service) startingBeside(r *ActiveRun) []*ActiveRun {
	var beside []*ActiveRun
	for _, other := range s.starting[r.run.SessionID] {
		if other != r && other.user == r.user {
			beside = append(beside, other)
		}
	}
	return beside
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

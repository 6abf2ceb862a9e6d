package runs

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// Run returns a run. Returns ErrSessionNotFound, ErrForbidden and ErrRunNotFound.
func (s *Service) Run(ctx context.Context, ref chat.RunRef) (chat.Run, error) {
	return s.Store.Run(ctx, ref)
}

// ActiveRun returns the run of a session that is in progress or waits for the
// page; nil if there is none. A caller that reads the items too reads the active
// run first: an item is then in what it read, or in the events of the run.
//
// Returns ErrSessionNotFound and ErrForbidden.
func (s *Service) ActiveRun(ctx context.Context, userID string, session uuid.UUID) (*chat.Run, error) {
	return s.Store.ActiveRun(ctx, userID, session)
}

// ListRuns returns a page of a session's runs, newest first. Returns
// ErrSessionNotFound, ErrForbidden and ErrRunNotFound.
func (s *Service) ListRuns(ctx context.Context, userID string, session uuid.UUID, q chat.RunQuery) (chat.RunPage, error) {
	return s.Store.ListRuns(ctx, userID, session, q)
}

// Follow follows a run from after the event with the sequence number after; 0 is
// from the first event.
//
// Returns ErrSessionNotFound, ErrForbidden and ErrRunNotFound, ErrRunLogExpired
// for a run that has ended and whose log is gone, and SERVICE_UNAVAILABLE for a
// run that is in progress and whose log is in another process.
func (s *Service) Follow(ctx context.Context, ref chat.RunRef, after int) (chat.Follower, error) {
	run, err := s.Store.Run(ctx, ref)
	if err != nil {
		return nil, err
	}
	follower, err := s.Log.Follow(ctx, ref.RunID, after)
	if chat.CodeOf(err) == chat.CodeRunLogExpired && run.Status == chat.RunRunning {
		return nil, errTryAgain("This run cannot be followed from this server process; try again shortly.")
	}
	return follower, err
}

// CancelRun cancels a run; the part of the answer that the model has sent is
// kept. It returns the run as it ended. A run that has ended before is returned
// as it is.
//
// A run that this process executes stops at once, and its end is stored when
// CancelRun returns: until then the thread takes no other run, so that the part
// of the answer comes before the next message. A run of another process is
// marked as cancelled, and its owner stops it when it renews the lease.
//
// Returns ErrSessionNotFound, ErrForbidden and ErrRunNotFound, and
// SERVICE_UNAVAILABLE if the end is not stored in time.
func (s *Service) CancelRun(ctx context.Context, ref chat.RunRef) (chat.Run, error) {
	run := s.localRun(ref)
	if run == nil {
		return s.Store.CancelRun(ctx, ref, s.now())
	}
	run.Cancel(chat.FailureCancelled)
	if !run.waitUntilUnregistered(ctx) {
		return chat.Run{}, errTryAgain("The run is stopped, but its end is not stored yet; try again shortly.")
	}
	return s.Store.Run(ctx, ref)
}

// localRun returns a run of the user that this process executes or starts; nil
// if there is none.
func (s *Service) localRun(ref chat.RunRef) *ActiveRun {
	s.mu.Lock()
	defer s.mu.Unlock()
	isRun := func(run *ActiveRun) bool { return run.ID == ref.RunID && run.userID == ref.UserID }
	if live := s.live[ref.SessionID]; live != nil && isRun(live) {
		return live
	}
	starting := s.starting[ref.SessionID]
	if n := slices.IndexFunc(starting, isRun); n >= 0 {
		return starting[n]
	}
	return nil
}

// CheckThread returns an error unless the session has the thread. Returns
// ErrSessionNotFound, ErrForbidden and THREAD_NOT_FOUND.
func (s *Service) CheckThread(ctx context.Context, userID string, session, thread uuid.UUID) error {
	if thread == session {
		return nil
	}
	if _, err := s.Store.Session(ctx, userID, session); err != nil {
		return err
	}
	return chat.Errorf(chat.CodeThreadNotFound, "This session has no such thread; a session's thread has the session's id.")
}

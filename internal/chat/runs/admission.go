package runs

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// maxEndingWait is how long a message waits for the end of the run before it,
// where that run is being stored or was cancelled.
const maxEndingWait = 2 * time.Second

// admit prepares a run for the store. From here on, deleting the session
// cancels the run, and Shutdown waits for it. The caller defers withdraw.
//
// Returns RUN_IN_PROGRESS where this process executes a run of the thread,
// errors as Store.Session does, and SERVICE_UNAVAILABLE while the server stops.
func (s *Service) admit(ctx context.Context, userID string, sessionID uuid.UUID, model string) (*executor, error) {
	if err := s.ensureThreadIdle(ctx, userID, sessionID); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return nil, errRestarting()
	}
	e := s.newExecutor(ctx, userID, sessionID, model)
	s.runners.Add(1)
	s.starting[sessionID] = append(s.starting[sessionID], e.ActiveRun)
	return e, nil
}

// withdraw undoes the admission of a run that was not launched. Unless the
// store refused the run, the run may be stored nevertheless, now or in a
// moment: then it is ended in the background.
func (s *Service) withdraw(e *executor) {
	if e.launched {
		return
	}
	s.mu.Lock()
	s.removeStarting(e.ActiveRun)
	s.mu.Unlock()
	e.cancel(nil)
	if e.refused {
		s.runners.Done()
		return
	}
	go func() {
		defer s.runners.Done()
		_ = e.recoverPanics(e.abandon) // It is logged.
	}()
}

// register makes an admitted run the thread's live one. A session may have
// been deleted since the run was stored; then the run is cancelled already.
func (s *Service) register(e *executor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.removeStarting(e.ActiveRun)
	s.live[e.sessionID] = e.ActiveRun
	e.launched = true
	if s.isShuttingDown() {
		e.Cancel(chat.FailureServerStopped)
	}
}

// unregister frees the run's thread for the next one. It may be called again.
func (s *Service) unregister(r *ActiveRun) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live[r.sessionID] == r {
		delete(s.live, r.sessionID)
		close(r.unregistered)
	}
}

// removeStarting is called with the lock held.
func (s *Service) removeStarting(r *ActiveRun) {
	id := r.sessionID
	s.starting[id] = slices.DeleteFunc(s.starting[id], func(other *ActiveRun) bool { return other == r })
	if len(s.starting[id]) == 0 {
		delete(s.starting, id)
	}
}

// ensureThreadIdle refuses a thread whose run this process executes. The store
// refuses such a thread too, but not where the run's lease ran out while the
// database was unreachable.
//
// A client that cancelled a run, or that read its end in the database, may send
// the next message at once: the message waits until the run is unregistered.
func (s *Service) ensureThreadIdle(ctx context.Context, userID string, sessionID uuid.UUID) error {
	s.mu.Lock()
	live := s.live[sessionID]
	s.mu.Unlock()
	if live == nil || live.waitUntilUnregistered(ctx) {
		return nil
	}
	if _, err := s.Store.Session(ctx, userID, sessionID); err != nil {
		return err
	}
	return chat.ErrRunInProgress(live.ID)
}

// waitUntilUnregistered reports whether a run that is about to end did so
// within maxEndingWait. It does not wait for any other run.
func (r *ActiveRun) waitUntilUnregistered(ctx context.Context) bool {
	if !r.ending.Load() && r.ctx.Err() == nil {
		return false
	}
	limit := time.NewTimer(maxEndingWait)
	defer limit.Stop()
	select {
	case <-r.unregistered:
		return true
	case <-limit.C:
	case <-ctx.Done():
	}
	return false
}

// isShuttingDown reports whether no run may continue.
func (s *Service) isShuttingDown() bool {
	select {
	case <-s.stopping:
		return true
	default:
		return false
	}
}

func errRestarting() error { return errTryAgain("The server is restarting; try again shortly.") }

// errTryAgain is SERVICE_UNAVAILABLE for a state that passes in a moment.
func errTryAgain(message string) error {
	return &chat.Error{Code: chat.CodeServiceUnavailable, Message: message, RetryAfter: time.Second}
}

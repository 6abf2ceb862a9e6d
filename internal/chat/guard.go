package chat

import (
	"context"
	"fmt"
	"runtime/debug"
)

// guard makes an error of a panic: what goes wrong in one run does not end the
// server.
func (s *Service) guard(r *ActiveRun, do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.logPanic(r, p)
			err = fmt.Errorf("panic in run: %v", p)
		}
	}()
	return do()
}

func (s *Service) logPanic(r *ActiveRun, p any) {
	s.Logger.ErrorContext(r.ctx, "a run panicked", "run", r.ID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
}

// endBroken ends a run whose end panicked. What was not stored by then is lost:
// storing it anew would panic again.
func (s *Service) endBroken(r *ActiveRun, t *turn, cause error) {
	if !t.saved {
		r.run.Status = RunFailed
		if r.run.EndedAt.IsZero() {
			r.run.EndedAt = s.now()
		}
		t.untold, t.failure = nil, r.fail(FailureInternal, "The answer could not be saved; try again.", true)
		err := s.guard(r, func() error {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), lastSaveTimeout)
			defer cancel()
			_, err := s.Store.FinishRun(ctx, r.run, nil)
			return err
		})
		if err != nil && CodeOf(err) != CodeSessionNotFound {
			s.Logger.ErrorContext(r.ctx, "a run may stand as running until its lease is over", "run", r.ID, "error", err)
		}
	}
	s.forget(r)                   // Whoever is told of the end may send the next message at once.
	_ = s.guard(r, func() error { // Its panic is logged.
		s.observeEnd(r)
		return nil
	})
	if !t.told {
		s.tellEnd(r, t.untold, t.failure, cause)
	}
	r.log.end()
}

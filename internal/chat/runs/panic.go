package runs

import (
	"fmt"
	"runtime/debug"
)

// recoverPanics turns a panic into an error: a fault in one run does not end
// the server.
func (e *executor) recoverPanics(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			e.logPanic(p)
			err = fmt.Errorf("panic in run: %v", p)
		}
	}()
	return do()
}

func (e *executor) logPanic(p any) {
	e.s.Logger.ErrorContext(e.ctx, "a run panicked", "run", e.ID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
}

// failAfterPanic ends a run whose end panicked. Items that were not stored by
// then are lost: storing them again would panic again.
func (e *executor) failAfterPanic(cause error) {
	if !e.endSaved {
		e.markFailed()
		e.unpublished = nil
		e.failure = &failure{message: e.run.FailureReason, retry: true}
	}
	// A follower of the end may send the next message at once.
	e.s.unregister(e.ActiveRun)
	_ = e.recoverPanics(func() error { // It is logged.
		e.observeEnd()
		return nil
	})
	if !e.endPublished {
		e.publishEnd(e.unpublished, e.failure, cause)
	}
	e.log.End()
}

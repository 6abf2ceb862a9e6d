package runs

import (
	"context"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

const (
	// saveTimeout is how long a run's followers wait for its end to be stored
	// while the database fails.
	saveTimeout = 10 * time.Second
	// laterSavePause is the pause between the tries after that.
	laterSavePause = 2 * time.Second
	// lastSaveTimeout bounds the last try before the server stops.
	lastSaveTimeout = 3 * time.Second
)

// isPassing reports whether an error of the store may be gone at the next try.
// Every other error is permanent, and an operation that failed by it is not
// tried again.
func isPassing(err error) bool { return chat.CodeOf(err) == chat.CodeServiceUnavailable }

// saveEnd stores the end of the run. It tries again for as long as timeout: an
// answer must not be lost to a database that fails for a moment.
func (e *executor) saveEnd(timeout time.Duration) error {
	return e.persist(nil, timeout, func(ctx context.Context) error {
		if err := e.saveUnsavedResults(ctx); err != nil {
			return err
		}
		session, err := e.s.Store.FinishRun(ctx, e.run, e.unsaved)
		if err == nil {
			e.session = session
		}
		return err
	})
}

// saveUnsavedResults stores the results that could not be stored when the tools
// returned them. Results that the store refuses do not prevent the run's end.
func (e *executor) saveUnsavedResults(ctx context.Context) error {
	if e.unsavedResults == nil {
		return nil
	}
	err := e.s.Store.SaveItem(ctx, *e.unsavedResults)
	if isPassing(err) || chat.CodeOf(err) == chat.CodeSessionNotFound {
		return err
	}
	if err != nil {
		e.s.Logger.ErrorContext(ctx, "the results of a run's tools are lost: they could not be stored", "run", e.ID, "error", err)
	}
	e.unsavedResults = nil
	return nil
}

// saveItems stores the complete items before the end of the run.
func (e *executor) saveItems() error {
	err := e.persist(e.ctx.Done(), saveTimeout, func(ctx context.Context) error {
		return e.s.Store.AddItems(ctx, e.run, e.unsaved)
	})
	if err == nil {
		e.unsaved = nil
	}
	return err
}

// saveResults stores the results of an item's tool calls. The calls may have
// changed something outside, so the run waits for as long as the database is
// unreachable and the run may last; then the results are stored with its end.
func (e *executor) saveResults(item chat.Item) error {
	e.unsavedResults = &item
	for {
		err := e.persist(e.ctx.Done(), saveTimeout, func(ctx context.Context) error { return e.s.Store.SaveItem(ctx, item) })
		if err == nil {
			e.unsavedResults = nil
		}
		if !isPassing(err) || e.ctx.Err() != nil {
			return err
		}
	}
}

// persist calls store until it succeeds or fails for good, timeout is over or
// stop is closed. It calls it once in any case, also when the run has ended.
func (e *executor) persist(stop <-chan struct{}, timeout time.Duration, store func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.ctx), timeout)
	defer cancel()
	for pause := 50 * time.Millisecond; ; pause *= 2 {
		err := store(ctx)
		if !isPassing(err) {
			return err
		}
		e.s.Logger.WarnContext(ctx, "saving a run failed; it is tried again", "run", e.ID, "error", err)
		select {
		case <-stop:
			return err
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

// saveEndLater goes on trying after the followers were told that the end is not
// stored yet, until it is or the server stops. The thread takes no other run
// meanwhile, so that its messages stay in order.
func (e *executor) saveEndLater() {
	fields := []any{"run", e.ID, "session", e.sessionID}
	for stopping := false; !stopping; {
		timeout := laterSavePause
		select {
		case <-e.s.stopping:
			timeout, stopping = lastSaveTimeout, true
		case <-time.After(laterSavePause):
		}
		err := e.saveEnd(timeout)
		if err == nil || chat.CodeOf(err) == chat.CodeSessionNotFound {
			e.s.Logger.InfoContext(e.ctx, "the end of a run was saved late", fields...)
			return
		}
		if !isPassing(err) {
			e.markFailed()
			return
		}
	}
	e.s.Logger.ErrorContext(e.ctx, "the end of a run is lost: the database could not be reached until the server stopped", fields...)
}

// markFailed ends a run in the store whose items the store does not take, so
// that its thread takes the next message. The items are lost.
func (e *executor) markFailed() {
	e.run.Status = chat.RunFailed
	if e.run.EndedAt.IsZero() {
		e.run.EndedAt = e.s.now()
	}
	e.fail(chat.FailureInternal, "The answer could not be saved; try again.")
	err := e.recoverPanics(func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(e.ctx), lastSaveTimeout)
		defer cancel()
		_, err := e.s.Store.FinishRun(ctx, e.run, nil)
		return err
	})
	if err != nil && chat.CodeOf(err) != chat.CodeSessionNotFound {
		e.s.Logger.ErrorContext(e.ctx, "a run may count as running until its lease is over", "run", e.ID, "error", err)
	}
}

const (
	// abandonTries and abandonPause allow for a store that completes a start
	// after it returned an error.
	abandonTries   = 4
	abandonPause   = 300 * time.Millisecond
	abandonTimeout = 3 * time.Second
)

// abandon ends a run whose start failed without telling whether the store has
// the run, or will have it in a moment. The run is marked as failed, or its
// thread would take no other until the lease is over.
func (e *executor) abandon() error {
	e.run.Status, e.run.EndedAt = chat.RunFailed, e.s.now()
	e.fail(chat.FailureInternal, "The run could not be started.")
	var err error
	for range abandonTries {
		select {
		case <-e.s.stopping:
			return nil // The lease ends it.
		case <-time.After(abandonPause):
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(e.ctx), abandonTimeout)
		_, err = e.s.Store.FinishRun(ctx, e.run, nil)
		cancel()
		if err == nil {
			return nil
		}
	}
	if chat.CodeOf(err) != chat.CodeSessionNotFound {
		e.s.Logger.WarnContext(e.ctx, "a run that failed to start may count as running until its lease is over",
			"run", e.ID, "error", err)
	}
	return nil
}

package chat

import (
	"context"
	"time"
)

const (
	// saveTimeout is how long a run's followers wait for its end to be saved
	// while the database does not answer.
	saveTimeout = 10 * time.Second
	// lateSavePause lies between the tries after that.
	lateSavePause = 2 * time.Second
	// lastSaveTimeout is for the last try before the server stops.
	lastSaveTimeout = 3 * time.Second
)

// save stores the end of the run: an answer that was paid for and read must
// not be lost to a database that is away for a moment.
func (s *Service) save(r *ActiveRun, t *turn, timeout time.Duration) error {
	return s.persist(r, nil, timeout, func(ctx context.Context) error {
		if err := s.saveLate(ctx, r, t); err != nil {
			return err
		}
		session, err := s.Store.FinishRun(ctx, r.run, t.items)
		if err == nil {
			r.session = session
		}
		return err
	})
}

// saveLate stores the results that could not be stored when they came. What the
// database will not have does not stand in the way of the run's end.
func (s *Service) saveLate(ctx context.Context, r *ActiveRun, t *turn) error {
	if t.late == nil {
		return nil
	}
	err := s.Store.SaveItem(ctx, *t.late)
	if code := CodeOf(err); code == CodeServiceUnavailable || code == CodeSessionNotFound {
		return err
	}
	if err != nil {
		s.Logger.ErrorContext(ctx, "the results of a run's tools are lost: they could not be stored", "run", r.ID, "error", err)
	}
	t.late = nil
	return nil
}

// saveItems stores what the run has made so far.
func (s *Service) saveItems(r *ActiveRun, t *turn) error {
	err := s.persist(r, r.ctx.Done(), saveTimeout, func(ctx context.Context) error { return s.Store.AddItems(ctx, r.run, t.items) })
	if err == nil {
		t.items = nil
	}
	return err
}

// saveResults stores what the tools gave. They may have changed the world, so
// the run waits for a database that is away for as long as it may last; then
// the results are saved with its end.
func (s *Service) saveResults(r *ActiveRun, t *turn, item Item) error {
	t.late = &item
	for {
		err := s.persist(r, r.ctx.Done(), saveTimeout, func(ctx context.Context) error { return s.Store.SaveItem(ctx, item) })
		if err == nil {
			t.late = nil
		}
		if CodeOf(err) != CodeServiceUnavailable || r.ctx.Err() != nil {
			return err
		}
	}
}

// persist tries again for as long as timeout says, unless the session is gone
// or stop is closed. It tries once in any case, also when the run has ended.
func (s *Service) persist(r *ActiveRun, stop <-chan struct{}, timeout time.Duration, store func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), timeout)
	defer cancel()
	for pause := 50 * time.Millisecond; ; pause *= 2 {
		err := store(ctx)
		if err == nil || CodeOf(err) == CodeSessionNotFound {
			return err
		}
		s.Logger.WarnContext(ctx, "saving what a run made failed; it is tried again", "run", r.ID, "error", err)
		select {
		case <-stop:
			return err
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

// saveLater goes on trying when the followers have been told that the end is
// not saved, until it is or the server stops. The thread takes no other run
// meanwhile, so that its messages stay in order.
func (s *Service) saveLater(r *ActiveRun, t *turn) {
	for stopping := false; !stopping; {
		timeout := lateSavePause
		select {
		case <-s.stopping:
			timeout, stopping = lastSaveTimeout, true
		case <-time.After(lateSavePause):
		}
		err := s.save(r, t, timeout)
		if err == nil || CodeOf(err) == CodeSessionNotFound {
			s.Logger.InfoContext(r.ctx, "the end of a run was saved late", "run", r.ID, "session", r.session.ID)
			return
		}
	}
	s.Logger.ErrorContext(r.ctx, "the end of a run is lost: the database was away until the server stopped",
		"run", r.ID, "session", r.session.ID)
}

const (
	// abandonTries and abandonPause are for a start that the store goes on with
	// after its caller was told that it failed.
	abandonTries   = 4
	abandonPause   = 300 * time.Millisecond
	abandonTimeout = 3 * time.Second
)

// abandon ends a run whose start failed in a way that leaves it unknown whether
// the store has it, or will have it in a moment. Such a run is marked as
// failed, or its thread would take no other until its lease is over.
func (s *Service) abandon(r *ActiveRun) {
	r.run.Status, r.run.EndedAt = RunFailed, s.now()
	r.fail(FailureInternal, "The run could not be started.", true)
	var err error
	for range abandonTries {
		select {
		case <-s.stopping:
			return // The lease ends it.
		case <-time.After(abandonPause):
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), abandonTimeout)
		_, err = s.Store.FinishRun(ctx, r.run, nil)
		cancel()
		if err == nil {
			return
		}
	}
	if CodeOf(err) != CodeSessionNotFound {
		s.Logger.WarnContext(r.ctx, "a run that failed to start may stand as running until its lease is over",
			"run", r.ID, "error", err)
	}
}

// isRefusal says that the store did nothing, and why.
func isRefusal(err error) bool {
	code := CodeOf(err)
	return code != "" && code != CodeServiceUnavailable
}

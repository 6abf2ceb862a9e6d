package chat

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Start marks the runs of dead processes as failed and begins to do so now
// and then, and to renew the leases of this process's own. Shutdown ends it.
func (s *Service) Start(ctx context.Context) error {
	if err := s.failOrphans(ctx); err != nil {
		return err
	}
	ctx, s.stopHousekeeping = context.WithCancel(context.WithoutCancel(ctx))
	s.housekeeping.Go(func() { s.keepHouse(ctx) })
	if s.Attachments != nil {
		s.housekeeping.Go(func() { s.keepAttachments(ctx) })
	}
	return nil
}

func (s *Service) keepHouse(ctx context.Context) {
	renew := time.NewTicker(s.Lease / 3)
	defer renew.Stop()
	reap := time.NewTicker(s.Lease)
	defer reap.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-renew.C:
			err = s.renewLeases(ctx)
		case <-reap.C:
			err = s.failOrphans(ctx)
		}
		if err != nil && ctx.Err() == nil {
			s.Logger.WarnContext(ctx, "housekeeping failed; it is tried again", "error", err)
		}
	}
}

func (s *Service) renewLeases(ctx context.Context) error {
	s.mu.Lock()
	runs := make([]uuid.UUID, 0, len(s.live))
	for _, run := range s.live {
		runs = append(runs, run.ID)
	}
	s.mu.Unlock()
	if len(runs) == 0 {
		return nil
	}
	return s.Store.RenewLeases(ctx, runs, s.now().Add(s.Lease))
}

func (s *Service) failOrphans(ctx context.Context) error {
	failed, err := s.Store.FailOrphanedRuns(ctx, s.owner, s.now())
	if failed > 0 {
		s.Logger.WarnContext(ctx, "runs of a stopped server marked as failed", "runs", failed)
	}
	return err
}

// Live is the number of runs that this process works on.
func (s *Service) Live() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.live)
}

// Shutdown takes no new runs and waits for the live ones until ctx ends; then
// it stops them, saves what they have, and returns ctx's error.
func (s *Service) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.draining = true
	s.mu.Unlock()

	drained := make(chan struct{})
	go func() {
		s.runners.Wait()
		close(drained)
	}()
	var err error
	select {
	case <-drained:
	case <-ctx.Done():
		err = ctx.Err()
		s.cancelAll()
		<-drained
	}
	if s.stopHousekeeping != nil {
		s.stopHousekeeping()
	}
	s.housekeeping.Wait()
	return err
}

func (s *Service) cancelAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop.Do(func() { close(s.stopping) })
	for _, run := range s.live {
		run.Cancel(FailureServerStopped)
	}
}

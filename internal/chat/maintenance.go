package chat

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Start marks the runs of dead processes as failed, and starts the maintenance
// that repeats it and renews the leases of this process's runs. Shutdown ends
// the maintenance.
func (s *Service) Start(ctx context.Context) error {
	if err := s.failOrphans(ctx); err != nil {
		return err
	}
	ctx, s.stopMaintenance = context.WithCancel(context.WithoutCancel(ctx))
	s.maintenance.Go(func() { s.runMaintenance(ctx) })
	if s.Attachments != nil {
		s.maintenance.Go(func() { s.sweepAttachments(ctx) })
	}
	return nil
}

func (s *Service) runMaintenance(ctx context.Context) {
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
			s.Logger.WarnContext(ctx, "maintenance failed; it is tried again", "error", err)
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
	return s.Store.RenewLeases(ctx, runs, s.Lease)
}

func (s *Service) failOrphans(ctx context.Context) error {
	failed, err := s.Store.FailOrphanedRuns(ctx, s.owner)
	if failed > 0 {
		s.Logger.WarnContext(ctx, "runs of a stopped server marked as failed", "runs", failed)
	}
	return err
}

// Live is the number of runs that this process executes.
func (s *Service) Live() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.live)
}

// Shutdown takes no new runs and waits for the live ones until ctx ends. Then it
// cancels them, which stores their answers so far, and returns ctx's error.
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
	if s.stopMaintenance != nil {
		s.stopMaintenance()
	}
	s.maintenance.Wait()
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

package runs

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
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
	s.maintenance.Go(func() { s.Attachments.SweepUntil(ctx) })
	return nil
}

func (s *Service) runMaintenance(ctx context.Context) {
	renew := time.NewTicker(s.Lease / 3)
	defer renew.Stop()
	reap := time.NewTicker(s.Lease)
	defer reap.Stop()
	// failing says that the database failed since the last tick of reap. Then
	// the leases of other processes may be over though these live: they get
	// time to renew them.
	failing := false
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-renew.C:
			err = s.renewLeases(ctx)
		case <-reap.C:
			if failing {
				failing = false
				continue
			}
			err = s.failOrphans(ctx)
		}
		if err != nil && ctx.Err() == nil {
			failing = true
			s.Logger.WarnContext(ctx, "maintenance failed; it is tried again", "error", err)
		}
	}
}

// renewLeases renews the leases of the live runs, and cancels those that are no
// longer running in the store. This is how a deletion on another replica reaches
// them, within a third of a lease.
func (s *Service) renewLeases(ctx context.Context) error {
	live := s.liveRuns()
	if len(live) == 0 {
		return nil
	}
	lost, err := s.Store.RenewLeases(ctx, slices.Collect(maps.Keys(live)), s.Lease)
	for _, run := range lost {
		live[run.ID].cancelLost(run.Status)
	}
	return err
}

func (s *Service) liveRuns() map[uuid.UUID]*ActiveRun {
	s.mu.Lock()
	defer s.mu.Unlock()
	runs := make(map[uuid.UUID]*ActiveRun, len(s.live))
	for _, run := range s.live {
		runs[run.ID] = run
	}
	return runs
}

// cancelLost cancels a run that another process ended in the store as status,
// or whose session was deleted.
func (r *ActiveRun) cancelLost(status chat.RunStatus) {
	switch {
	case r.ending.Load(): // This process has stored the end, or is about to.
	case status == "":
		r.Cancel(chat.FailureSessionGone)
	case status == chat.RunCancelled:
		r.Cancel(chat.FailureCancelled)
	default:
		r.cancel(cancelled{chat.FailureServerStopped, errLeaseLost})
	}
}

// errLeaseLost is the cause of a run that another process took for dead.
var errLeaseLost = errors.New("the lease ended while the database could not be reached, " +
	"and another server marked the run as failed")

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
		run.Cancel(chat.FailureServerStopped)
	}
}

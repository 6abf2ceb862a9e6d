package chat

import (
	"context"
	"time"

	"github.com/google/uuid"
)

const (
	// unsentLife is how long an attachment is kept that no message has.
	unsentLife = 24 * time.Hour
	sweepEvery = 10 * time.Minute
	// sweepBatch and sweepRounds bound what one sweep takes.
	sweepBatch  = 100
	sweepRounds = 20
)

// sweepSoon has the garbage among the attachments swept now and not at the
// next round.
func (s *Service) sweepSoon() {
	select {
	case s.sweeping <- struct{}{}:
	default: // It is asked for already.
	}
}

// keepAttachments sweeps until ctx ends.
func (s *Service) keepAttachments(ctx context.Context) {
	round := time.NewTicker(sweepEvery)
	defer round.Stop()
	for {
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.Logger.WarnContext(ctx, "deleted attachments could not be swept; it is tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-round.C:
		case <-s.sweeping:
		}
	}
}

// Sweep deletes the contents of the attachments that nobody can use any more,
// then what is known of them. A stop in between leaves them for the next.
func (s *Service) Sweep(ctx context.Context) error {
	for range sweepRounds {
		now := s.now()
		ids, err := s.Store.SweepAttachments(ctx, now, now.Add(-unsentLife), sweepBatch)
		if err != nil || len(ids) == 0 {
			return err
		}
		gone := make([]uuid.UUID, 0, len(ids))
		var failed error
		for _, id := range ids {
			if failed = s.Attachments.Blobs.Delete(ctx, blobKey(id)); failed != nil {
				break // The rest would fail likewise.
			}
			gone = append(gone, id)
		}
		if err := s.Store.ForgetAttachments(ctx, gone); err != nil {
			return err
		}
		if failed != nil {
			return failed
		}
		s.Logger.InfoContext(ctx, "attachments were swept", "attachments", len(gone))
		if len(ids) < sweepBatch {
			return nil
		}
	}
	return nil
}

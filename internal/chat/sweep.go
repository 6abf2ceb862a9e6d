package chat

import (
	"cmp"
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
	// sweepFailures is how many contents in a row that cannot be deleted end a
	// sweep: the store of files is away.
	sweepFailures = 5
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
// then what is known of them. What stops in between, or cannot be deleted, is
// left for the next; the error is the first content's that could not.
func (s *Service) Sweep(ctx context.Context) error {
	var swept sweep
	for range sweepRounds {
		now := s.now()
		ids, err := s.Store.SweepAttachments(ctx, now, now.Add(-unsentLife), sweepBatch)
		if err != nil || len(ids) == 0 {
			return cmp.Or(swept.failed, err)
		}
		gone := swept.deleteContents(ctx, s.Attachments.Blobs, ids)
		if err := s.Store.ForgetAttachments(ctx, gone); err != nil {
			return cmp.Or(swept.failed, err)
		}
		if len(gone) > 0 {
			s.Logger.InfoContext(ctx, "attachments were swept", "attachments", len(gone))
		}
		if swept.inVain() || len(ids) < sweepBatch {
			break
		}
	}
	return swept.failed
}

// sweep is what a sweep has seen of the store of files.
type sweep struct {
	failed error // the first
	inARow int
}

// inVain says that the rest would fail likewise.
func (w *sweep) inVain() bool { return w.inARow >= sweepFailures }

// deleteContents deletes the contents, and returns those that are gone. It goes
// on past one that cannot be deleted.
func (w *sweep) deleteContents(ctx context.Context, blobs Blobs, ids []uuid.UUID) (gone []uuid.UUID) {
	for _, id := range ids {
		if err := blobs.Delete(ctx, blobKey(id)); err != nil {
			w.failed = cmp.Or(w.failed, err)
			if w.inARow++; w.inVain() {
				break
			}
			continue
		}
		w.inARow = 0
		gone = append(gone, id)
	}
	return gone
}

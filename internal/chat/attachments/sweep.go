package attachments

import (
	"cmp"
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

const (
	// unsentLifetime is how long an unsent attachment is kept.
	unsentLifetime = 24 * time.Hour
	sweepInterval  = 10 * time.Minute
	// sweepBatch and sweepRounds bound what one sweep deletes.
	sweepBatch  = 100
	sweepRounds = 20
	// sweepFailures is the number of successive failed deletions that ends a
	// sweep: the file store cannot be reached.
	sweepFailures = 5
)

// RequestSweep starts a sweep of the attachments now instead of at the next
// interval.
func (s *Service) RequestSweep() {
	select {
	case s.sweepRequests <- struct{}{}:
	default: // One is requested already.
	}
}

// SweepUntil sweeps at intervals, and when a sweep is requested, until ctx ends.
func (s *Service) SweepUntil(ctx context.Context) {
	if s.Blobs == nil {
		return
	}
	next := time.NewTicker(sweepInterval)
	defer next.Stop()
	for {
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.Logger.WarnContext(ctx, "the contents of deleted attachments could not all be deleted; the next sweep tries again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		case <-s.sweepRequests:
		}
	}
}

// Sweep deletes the contents of attachments that cannot be used any more, then
// the attachments. The next sweep tries those again whose contents could not be
// deleted. The error is that of the first content that could not be deleted.
func (s *Service) Sweep(ctx context.Context) error {
	var swept sweep
	for range sweepRounds {
		ids, err := s.Store.SweepAttachments(ctx, s.now().Add(-unsentLifetime), sweepBatch)
		if err != nil || len(ids) == 0 {
			return cmp.Or(swept.failed, err)
		}
		deleted := swept.deleteContents(ctx, s.Blobs, ids)
		if err := s.Store.ForgetAttachments(ctx, deleted); err != nil {
			return cmp.Or(swept.failed, err)
		}
		if len(deleted) > 0 {
			s.Logger.InfoContext(ctx, "deleted attachments were removed", "attachments", len(deleted))
		}
		if swept.storeUnreachable() || len(ids) < sweepBatch {
			break
		}
	}
	return swept.failed
}

// sweep counts the failures of one sweep.
type sweep struct {
	failed error // the first
	inARow int
}

// storeUnreachable reports whether further deletions would fail too.
func (w *sweep) storeUnreachable() bool { return w.inARow >= sweepFailures }

// deleteContents deletes contents and returns the ids of those that it deleted.
// It skips one that cannot be deleted.
func (w *sweep) deleteContents(ctx context.Context, blobs chat.Blobs, ids []uuid.UUID) (deleted []uuid.UUID) {
	for _, id := range ids {
		if err := blobs.Delete(ctx, blobKey(id)); err != nil {
			w.failed = cmp.Or(w.failed, err)
			if w.inARow++; w.storeUnreachable() {
				break
			}
			continue
		}
		w.inARow = 0
		deleted = append(deleted, id)
	}
	return deleted
}

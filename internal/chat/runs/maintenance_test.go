package runs_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// failingStore is a database whose maintenance fails while failing is set, and
// that counts the searches for orphans that succeed.
type failingStore struct {
	chat.Store

	failing  atomic.Bool
	searches atomic.Int32
}

func (f *failingStore) FailOrphanedRuns(context.Context, uuid.UUID) (int, error) {
	if f.failing.Load() {
		return 0, chat.ErrStoreUnavailable(errors.New("connection refused"))
	}
	f.searches.Add(1)
	return 0, nil
}

// After a failure of the database the owners of runs get time to renew their
// leases before others take them for dead.
func TestNoOrphansRightAfterAnOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := &failingStore{}
		newService(t, db, nil) // Its lease is 15 s.
		advance := func(d time.Duration) {
			time.Sleep(d) // It is the bubble's time.
			synctest.Wait()
		}
		advance(16 * time.Second)
		if db.searches.Load() != 2 { // One at the start.
			t.Fatalf("%d searches for orphans, want 2", db.searches.Load())
		}
		db.failing.Store(true)
		advance(15 * time.Second)
		db.failing.Store(false)
		advance(15 * time.Second)
		if db.searches.Load() != 2 {
			t.Errorf("a search for orphans at the first moment after an outage")
		}
		advance(15 * time.Second)
		if db.searches.Load() != 3 {
			t.Errorf("%d searches for orphans, want 3", db.searches.Load())
		}
	})
}

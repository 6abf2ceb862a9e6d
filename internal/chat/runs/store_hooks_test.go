package runs_test

import (
	"context"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// storeHooks is a store in which a test acts around the store's own work. A nil
// hook does nothing.
type storeHooks struct {
	chat.Store

	// start stands around each operation that stores the start of a run.
	start func(ctx context.Context, store startFunc) (chat.StartedRun, error)
	// finish stands around FinishRun.
	finish func(run chat.Run, items []chat.Item, store finishFunc) (chat.Session, error)
	// saveItem comes before SaveItem; its error is returned instead.
	saveItem func() error
	// claimTitle comes before ClaimTitle.
	claimTitle func()
	// finishTitle comes before FinishTitle; its error is returned instead.
	finishTitle func() error
}

type (
	startFunc  func(ctx context.Context) (chat.StartedRun, error)
	finishFunc func() (chat.Session, error)
)

// afterStart is a start hook: once the start is stored, f is called, and its
// error is returned.
func afterStart(f func() error) func(context.Context, startFunc) (chat.StartedRun, error) {
	return func(ctx context.Context, store startFunc) (chat.StartedRun, error) {
		started, err := store(ctx)
		if err != nil {
			return started, err
		}
		return started, f()
	}
}

func (h *storeHooks) around(ctx context.Context, store startFunc) (chat.StartedRun, error) {
	if h.start == nil {
		return store(ctx)
	}
	return h.start(ctx, store)
}

func (h *storeHooks) StartRun(ctx context.Context, start chat.NewRun, limit int) (chat.StartedRun, error) {
	return h.around(ctx, func(ctx context.Context) (chat.StartedRun, error) { return h.Store.StartRun(ctx, start, limit) })
}

func (h *storeHooks) StartThread(ctx context.Context, s chat.Session, most int, start chat.NewRun) (chat.StartedRun, error) {
	return h.around(ctx, func(ctx context.Context) (chat.StartedRun, error) { return h.Store.StartThread(ctx, s, most, start) })
}

func (h *storeHooks) RetryRun(ctx context.Context, retry chat.Retry, limit int) (chat.StartedRun, error) {
	return h.around(ctx, func(ctx context.Context) (chat.StartedRun, error) { return h.Store.RetryRun(ctx, retry, limit) })
}

func (h *storeHooks) ResumeRun(ctx context.Context, resume chat.Resume, limit int) (chat.StartedRun, error) {
	return h.around(ctx, func(ctx context.Context) (chat.StartedRun, error) { return h.Store.ResumeRun(ctx, resume, limit) })
}

func (h *storeHooks) FinishRun(ctx context.Context, run chat.Run, items []chat.Item) (chat.Session, error) {
	store := func() (chat.Session, error) { return h.Store.FinishRun(ctx, run, items) }
	if h.finish == nil {
		return store()
	}
	return h.finish(run, items, store)
}

func (h *storeHooks) SaveItem(ctx context.Context, item chat.Item) error {
	if h.saveItem != nil {
		if err := h.saveItem(); err != nil {
			return err
		}
	}
	return h.Store.SaveItem(ctx, item)
}

func (h *storeHooks) ClaimTitle(ctx context.Context, session, run uuid.UUID) (bool, error) {
	if h.claimTitle != nil {
		h.claimTitle()
	}
	return h.Store.ClaimTitle(ctx, session, run)
}

func (h *storeHooks) FinishTitle(ctx context.Context, made chat.MadeTitle) error {
	if h.finishTitle != nil {
		if err := h.finishTitle(); err != nil {
			return err
		}
	}
	return h.Store.FinishTitle(ctx, made)
}

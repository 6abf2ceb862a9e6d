package chat

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// RunRef names a run of a user's session.
type RunRef struct {
	UserID    string
	SessionID uuid.UUID
	RunID     uuid.UUID
}

// RunQuery asks for a page of a session's runs, newest StartedAt first.
type RunQuery struct {
	Limit int
	// After is the last run of the page before; nil asks for the first page.
	After *uuid.UUID
}

// RunPage is a page of a session's runs.
type RunPage struct {
	Runs    []Run
	HasMore bool
}

// RunQueries reads stored runs, and cancels those of any server process. A run
// is returned without its Lease. A run whose lease is over is returned as
// running until FailOrphanedRuns or the session's next run marks it as failed.
type RunQueries interface {
	// Run retrieves a run. Returns ErrSessionNotFound, ErrForbidden and
	// ErrRunNotFound.
	Run(ctx context.Context, ref RunRef) (Run, error)

	// ActiveRun retrieves the session's running run whose lease is not over, or
	// else its waiting run; nil if there is neither. Returns ErrSessionNotFound
	// and ErrForbidden.
	ActiveRun(ctx context.Context, userID string, session uuid.UUID) (*Run, error)

	// ListRuns retrieves a page of the session's runs, newest StartedAt first,
	// ties by id. Returns ErrSessionNotFound and ErrForbidden, and ErrRunNotFound
	// if the session never had the run that q.After names.
	ListRuns(ctx context.Context, userID string, session uuid.UUID, q RunQuery) (RunPage, error)

	// CancelRun marks a running run as cancelled with FailureCancelled. Its
	// session takes the next run at once; its owner learns of it from
	// RenewLeases, and its FinishRun stores the part of the answer. A run that
	// has ended, or waits, is returned as it is. Returns errors as Run does.
	CancelRun(ctx context.Context, ref RunRef, at time.Time) (Run, error)
}

package chat

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Store keeps sessions, items and runs. What a method stores it stores whole or
// not at all. Every method that takes a user's id names the user in the query
// itself.
//
// Times are kept to the microsecond and come back in UTC. Errors are *Error
// where a method says so, ErrStoreUnavailable when the database cannot be
// reached, and otherwise internal.
type Store interface {
	// CreateSession stores s. Returns ErrSessionLimit if the user already has
	// maxPerUser sessions, however many are created at once.
	CreateSession(ctx context.Context, s Session, maxPerUser int) error

	// Session returns a session. Returns ErrSessionNotFound if it does not
	// exist, ErrForbidden if it is another user's.
	Session(ctx context.Context, userID string, id uuid.UUID) (Session, error)

	// SessionWithItems returns a session and its items, oldest first. Returns
	// errors as Session does.
	SessionWithItems(ctx context.Context, userID string, id uuid.UUID) (Session, []Item, error)

	// ListSessions returns a page of the user's sessions, newest UpdatedAt
	// first, ties by id. Costs the page, not the number of rows in the table.
	ListSessions(ctx context.Context, userID string, q SessionQuery) (SessionPage, error)

	// DeleteSession deletes a session with its items and runs. Returns errors
	// as Session does.
	DeleteSession(ctx context.Context, userID string, id uuid.UUID) error

	// StartRun stores a run and the user message that starts it, counts the
	// message, touches the session, and gives the session the title if it has
	// none. It returns the session as it then stands and up to historyLimit of
	// the newest items before the message, oldest first.
	//
	// Returns errors as Session does, and ErrRunInProgress if the session has
	// a running run whose lease is not over; one whose lease is over is marked
	// failed with FailureServerStopped and does not stand in the way. After an
	// error of another kind the run and its message may be stored, now or in a
	// moment; FinishRun then ends it.
	StartRun(ctx context.Context, start NewRun, historyLimit int) (StartedRun, error)

	// FinishRun stores the end of a run and, unless it is nil, the item it
	// made, which is counted and touches the session. The owner's word is
	// last: a run that was taken for dead meanwhile is overwritten. It may be
	// called again with the same end, after a failure that left it unclear
	// whether the first call was heard. Returns ErrSessionNotFound if the
	// session was deleted meanwhile, or the run was never stored.
	FinishRun(ctx context.Context, run Run, item *Item) (Session, error)

	// RenewLeases moves the lease of those of the runs that are running to
	// until.
	RenewLeases(ctx context.Context, runs []uuid.UUID, until time.Time) error

	// FailOrphanedRuns marks failed, with FailureServerStopped, every running
	// run whose owner is not the given one and must be dead: its lease is over
	// at now or, where the database serves one process alone (SQLite), at
	// once. It returns how many it marked.
	FailOrphanedRuns(ctx context.Context, owner uuid.UUID, now time.Time) (int, error)
}

// NewRun is what Store.StartRun stores.
type NewRun struct {
	UserID string
	Run    Run
	// Message is the user message; its SessionID is the run's.
	Message Item
	// Title is for a session that has none.
	Title string
}

// StartedRun is what Store.StartRun found.
type StartedRun struct {
	Session Session
	// TitleSet says that the session got its title now.
	TitleSet bool
	History  []Item
}

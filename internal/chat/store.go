package chat

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// Store is the database. A method stores all of its changes or none. A method
// that takes a user's id returns and changes nothing of another user's.
//
// Errors are *Error where a method says so. A failure that may be gone at the
// next try is ErrStoreUnavailable; every other error is permanent.
//
// Times are kept to the microsecond and come back in UTC. Leases are measured
// by one clock, the database's, so that server processes whose clocks differ
// agree on them. (SQLite's clock is the process's; it serves one process.)
type Store interface {
	SessionStore
	RunStore
	RunQueries
	ItemStore
	TitleStore
	AttachmentStore
}

// SessionStore stores sessions. A session is a thread of the ChatKit protocol.
type SessionStore interface {
	// CreateSession stores a new session. Returns ErrSessionLimit if the user
	// already has maxPerUser sessions; concurrent calls never store more.
	CreateSession(ctx context.Context, s Session, maxPerUser int) error

	// Session retrieves a session by id. Returns ErrSessionNotFound if it does
	// not exist and ErrForbidden if it belongs to another user.
	Session(ctx context.Context, userID string, id uuid.UUID) (Session, error)

	// SessionWithItems retrieves a session and its items, oldest first. Returns
	// ErrSessionNotFound and ErrForbidden.
	SessionWithItems(ctx context.Context, userID string, id uuid.UUID) (Session, []Item, error)

	// ListSessions retrieves a page of the user's sessions, newest UpdatedAt
	// first, ties by id. It reads the rows of the page only.
	ListSessions(ctx context.Context, userID string, q SessionQuery) (SessionPage, error)

	// DeleteSession permanently deletes a session with its items and runs.
	// Returns ErrSessionNotFound and ErrForbidden.
	DeleteSession(ctx context.Context, userID string, id uuid.UUID) error
}

// RunStore stores runs. A session has at most one running run.
//
// The methods that start a run return ErrSessionNotFound and ErrForbidden, and
// ErrRunInProgress with the id of the session's running run if there is one whose
// lease is not over. A run whose lease is over is marked as failed with
// FailureServerStopped and does not prevent the new one. After ErrStoreUnavailable or an internal error the
// run may be stored, now or in a moment; FinishRun then ends it.
//
// They return up to historyLimit of the newest items as the history, oldest
// first.
type RunStore interface {
	// StartRun stores a run and the user message that starts it. It counts the
	// message, sets the session's UpdatedAt, and gives the session the title if
	// it has none. The message's attachments belong to it from then on. The
	// history ends before the message.
	//
	// Returns ErrAttachmentNotFound if an attachment is not the user's, and
	// ErrAttachmentNotUploaded or ErrAttachmentSent if it cannot be sent.
	StartRun(ctx context.Context, start NewRun, historyLimit int) (StartedRun, error)

	// StartThread stores a session and its first run, or neither. Returns errors
	// as CreateSession and StartRun do.
	StartThread(ctx context.Context, s Session, maxPerUser int, start NewRun) (StartedRun, error)

	// RetryRun stores a run that answers a user message of the thread again. The
	// items after the message are kept, but marked as superseded: no other
	// method returns them. The history ends with the message.
	//
	// Returns ErrItemNotFound if the thread has no such user message.
	RetryRun(ctx context.Context, retry Retry, historyLimit int) (StartedRun, error)

	// ResumeRun stores a run that continues with the page's output of the client
	// tool call that is the thread's newest item. The history ends with the
	// call.
	//
	// Returns ErrNoPendingCall if the newest item is not a call that waits for
	// its output.
	ResumeRun(ctx context.Context, resume Resume, historyLimit int) (StartedRun, error)

	// FinishRun stores the end of a run and the items it made. It counts those
	// that are messages, and sets the session's UpdatedAt if there are any. A run
	// that another process marked as failed is overwritten. Of a run that
	// CancelRun cancelled, the status, the failure and EndedAt stay, and all else
	// is stored. Only the first end is stored: a second call changes nothing, so
	// that the call can be repeated after an error that left its outcome unknown.
	//
	// Returns ErrSessionNotFound if the session was deleted or the run was
	// never stored.
	FinishRun(ctx context.Context, run Run, items []Item) (Session, error)

	// RenewLeases sets the leases of those of the runs that are running to end
	// after the given duration from now. It returns the other runs: their
	// sessions were deleted, or they have ended, or CancelRun cancelled them.
	RenewLeases(ctx context.Context, runs []uuid.UUID, lease time.Duration) ([]LostRun, error)

	// FailOrphanedRuns marks running runs of other owners as failed with
	// FailureServerStopped, and returns their number. It marks those whose
	// lease is over; where the database serves one process (SQLite), it marks
	// all.
	FailOrphanedRuns(ctx context.Context, owner uuid.UUID) (int, error)
}

// ItemStore stores the items of threads.
type ItemStore interface {
	// AddItems stores items of a run that has not ended, and counts them as
	// FinishRun does. Items that are stored already are left as they are.
	// Returns ErrSessionNotFound if the session was deleted.
	AddItems(ctx context.Context, run Run, items []Item) error

	// SaveItem replaces the tool calls and the workflow of a stored item.
	// Returns ErrSessionNotFound if the item was deleted with its session.
	SaveItem(ctx context.Context, item Item) error

	// ListItems retrieves a page of the items of a thread that a client may
	// see, oldest or newest first. An item that is added between two calls
	// moves no other to another page. Returns ErrSessionNotFound and
	// ErrForbidden, and ErrItemNotFound if the thread never had the item that
	// q.After names.
	ListItems(ctx context.Context, userID string, session uuid.UUID, q ItemQuery) (ItemPage, error)

	// SaveFeedback stores a user's feedback on items, and replaces earlier
	// feedback on them. Returns ErrSessionNotFound and ErrForbidden, and
	// ErrItemNotFound if the thread lacks one of the items.
	SaveFeedback(ctx context.Context, feedback Feedback) error
}

// TitleStore stores the titles of sessions.
type TitleStore interface {
	// SetTitle gives a session the title that its user chose. It leaves
	// UpdatedAt as it is. Returns ErrSessionNotFound and ErrForbidden.
	SetTitle(ctx context.Context, userID string, id uuid.UUID, title string) (Session, error)

	// ClaimTitle reports whether a title may be made for a session from a run:
	// its present title is cut from a message, and no other run has claimed it
	// since. The claim lasts until FinishTitle. Until then a second call for the
	// same run reports the same, so that the call can be repeated after an error
	// that left its outcome unknown.
	ClaimTitle(ctx context.Context, session, run uuid.UUID) (bool, error)

	// FinishTitle ends the claim of a run that has ended. The session gets the
	// title, unless its user has chosen one, the run has no claim, or the
	// session was deleted. An empty title leaves the present one, which may be
	// claimed again. The title's usage is added to the run's. A second call for
	// the same run changes nothing.
	FinishTitle(ctx context.Context, made MadeTitle) error
}

// NewRun is a run and the user message that starts it.
type NewRun struct {
	UserID string
	Run    Run
	// Message is the user message; its SessionID is the run's.
	Message Item
	// Title is given to a session that has none.
	Title string
}

// Retry is a run that answers a user message again.
type Retry struct {
	UserID string
	Run    Run
	// ItemID is the user message's.
	ItemID uuid.UUID
	// Models are those that a message may ask for. The run is stored with the
	// model that the message asks for, if it is one of them: see
	// [RequestedModel].
	Models []string
}

// Resume is a run that continues with the output of a client tool call.
type Resume struct {
	UserID string
	Run    Run
	// Output is the output of the page's tool, any JSON.
	Output json.RawMessage
	// Models are as in Retry; the message is the thread's last user message.
	Models []string
}

// StartedRun is the state of a session in which a run was stored.
type StartedRun struct {
	Session Session
	// TitleSet says that the run's message gave the session its title.
	TitleSet bool
	// TitleCut says that the session's title is cut from a message and not
	// claimed: see TitleStore.
	TitleCut bool
	History  []Item
}

// LostRun is a run whose lease RenewLeases did not renew.
type LostRun struct {
	ID uuid.UUID
	// Status is what the run ended as; empty where its session was deleted.
	Status RunStatus
}

// MadeTitle is the outcome of a claim of a title.
type MadeTitle struct {
	SessionID uuid.UUID
	// RunID is the run whose exchange the title was made of.
	RunID uuid.UUID
	// Title is empty if none could be made.
	Title string
	Usage Usage
}

// Feedback is a user's opinion of items of a thread.
type Feedback struct {
	UserID    string
	SessionID uuid.UUID
	ItemIDs   []uuid.UUID
	Kind      FeedbackKind
	At        time.Time
}

package chat

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// Store keeps sessions, items and runs. What a method stores it stores whole or
// not at all. Every method that takes a user's id names the user in the query
// itself.
//
// Times are kept to the microsecond and come back in UTC. Leases are measured
// by one clock, the database's, so that server processes whose clocks differ
// agree on them. (SQLite's clock is the process's; it serves one process.)
// Errors are *Error
// where a method says so, ErrStoreUnavailable when the database cannot be
// reached, and otherwise internal.
//
//nolint:interfacebloat // it is one database, and each method one transaction in it
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
	// failed with FailureServerStopped and does not stand in the way. The
	// message's attachments are its own from then on; returns
	// ErrAttachmentNotFound if one is not the user's, ErrAttachmentNotUploaded
	// and ErrAttachmentSent if one cannot be sent. After an
	// error of another kind the run and its message may be stored, now or in a
	// moment; FinishRun then ends it.
	StartRun(ctx context.Context, start NewRun, historyLimit int) (StartedRun, error)

	// StartThread stores a session and its first run as one: as CreateSession
	// and then StartRun would, and returns errors as they do.
	StartThread(ctx context.Context, s Session, maxPerUser int, start NewRun) (StartedRun, error)

	// RetryRun stores a run that answers a user message of the thread anew.
	// The items after the message are kept as superseded: no other method
	// knows of them. The history it returns ends with the message.
	//
	// Returns errors as StartRun does, and ErrItemNotFound if the thread has
	// no such user message.
	RetryRun(ctx context.Context, retry Retry, historyLimit int) (StartedRun, error)

	// ResumeRun stores a run that goes on after the page has answered the
	// pending client tool call that is the thread's newest item. The history
	// it returns ends with that call.
	//
	// Returns errors as StartRun does, and ErrNoPendingCall if the newest item
	// is not such a call.
	ResumeRun(ctx context.Context, resume Resume, historyLimit int) (StartedRun, error)

	// AddItems stores what a run has made before its end, as FinishRun does.
	// Storing the same items again does nothing. Returns ErrSessionNotFound if
	// the session was deleted meanwhile.
	AddItems(ctx context.Context, run Run, items []Item) error

	// SaveItem stores the tool calls and the workflow of an item anew. Returns
	// ErrSessionNotFound if the item is gone, with its session.
	SaveItem(ctx context.Context, item Item) error

	// FinishRun stores the end of a run and the items it made; those that are
	// messages are counted, and any touch the session. A run that another
	// process took for dead is overwritten. Only the first end is stored: a
	// repeat, after an error that left it unknown whether the first call was
	// stored, changes nothing. Returns ErrSessionNotFound if the session was
	// deleted meanwhile, or the run was never stored.
	FinishRun(ctx context.Context, run Run, items []Item) (Session, error)

	// ListItems returns a page of a thread's items that a client may see, in
	// the order they were made or the reverse. An item added meanwhile is on
	// one page at most, and moves no other. Returns errors as Session does,
	// and ErrItemNotFound if the thread never had the item that q.After names.
	ListItems(ctx context.Context, userID string, session uuid.UUID, q ItemQuery) (ItemPage, error)

	// SetTitle gives a session the title that its user chose. It does not
	// touch UpdatedAt. Returns errors as Session does.
	SetTitle(ctx context.Context, userID string, id uuid.UUID, title string) (Session, error)

	// ClaimTitle says whether the caller may make a title for a session: whether
	// its present one is cut from a message, and nobody else makes one or has
	// made one. The claim lasts until FinishTitle.
	ClaimTitle(ctx context.Context, id uuid.UUID) (bool, error)

	// FinishTitle ends the claim of a run that has ended: the session has the
	// title from then on, unless its user has chosen one meanwhile or it was
	// deleted. Without a title the present one stays, and may be claimed again.
	// The title's usage is added to the run's. A second call for the run changes
	// nothing.
	FinishTitle(ctx context.Context, made MadeTitle) error

	// SaveFeedback stores what the user thinks of items; what they thought
	// before is replaced. Returns errors as Session does, and ErrItemNotFound
	// if the thread lacks one of them.
	SaveFeedback(ctx context.Context, feedback Feedback) error

	// RenewLeases lets the leases of those of the runs that are running end
	// after the given duration from now. It returns the others: their sessions
	// were deleted, or they were ended by another process.
	RenewLeases(ctx context.Context, runs []uuid.UUID, lease time.Duration) ([]LostRun, error)

	// FailOrphanedRuns marks failed, with FailureServerStopped, every running
	// run of another owner that must be dead: its lease is over or the database
	// serves one process alone (SQLite). It returns how many it marked.
	FailOrphanedRuns(ctx context.Context, owner uuid.UUID) (int, error)

	AttachmentStore
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

// Retry is what Store.RetryRun stores.
type Retry struct {
	UserID string
	Run    Run
	// ItemID is the user message's.
	ItemID uuid.UUID
	// Models are those that a message may ask for. The run's model is the
	// message's, if it asks for one of them: see [RequestedModel].
	Models []string
}

// Resume is what Store.ResumeRun stores.
type Resume struct {
	UserID string
	Run    Run
	// Output is what the page's tool returned, any JSON.
	Output json.RawMessage
	// Models are as in Retry; the message is the last of the user's.
	Models []string
}

// StartedRun is what the store found when it stored a run.
type StartedRun struct {
	Session Session
	// TitleSet says that the session got its title now.
	TitleSet bool
	// TitleCut says that the session's title is cut from a message, and that no
	// other was made of it or is being made.
	TitleCut bool
	History  []Item
}

// LostRun is a run whose lease Store.RenewLeases could not renew.
type LostRun struct {
	ID uuid.UUID
	// Status is what the run ended as; empty where its session was deleted.
	Status RunStatus
}

// MadeTitle is what Store.FinishTitle stores.
type MadeTitle struct {
	SessionID uuid.UUID
	// RunID is the run whose exchange the title was made of.
	RunID uuid.UUID
	// Title is empty where none could be made.
	Title string
	Usage Usage
}

// Feedback is what a user thinks of items of a thread.
type Feedback struct {
	UserID    string
	SessionID uuid.UUID
	ItemIDs   []uuid.UUID
	Kind      FeedbackKind
	At        time.Time
}

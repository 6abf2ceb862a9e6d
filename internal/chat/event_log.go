package chat

import (
	"context"

	"github.com/google/uuid"
)

// EventLog keeps the events of runs for their followers. It is safe for
// concurrent use.
type EventLog interface {
	// Create makes the empty log of a run that this process executes. The log
	// is kept until some time after its end.
	Create(run uuid.UUID) RunLog

	// Follow follows a run from after the event with the sequence number after;
	// 0 is from the first event. Returns ErrRunLogExpired if there is no log of
	// the run.
	Follow(ctx context.Context, run uuid.UUID, after int) (Follower, error)
}

// RunLog is the log of one run. One goroutine appends to it at a time; any number
// of followers read, each from its own place and at its own pace. An event's
// sequence number is its place in the log, from 1. No follower delays Append.
type RunLog interface {
	// Append adds events.
	Append(events ...Event)

	// AppendText adds a text delta. The text is the item's whole text so far;
	// what it has beyond the text of the last call is the delta.
	AppendText(itemID uuid.UUID, text string)

	// End says that no event follows. Only the first call counts.
	End()

	// Follow is as [EventLog.Follow].
	Follow(after int) Follower
}

// Follower reads the log of a run. It is used by one goroutine.
type Follower interface {
	// Poll returns the events since the last call without blocking, and whether
	// the run has ended so that none will follow these. It returns some hundred
	// at most; Ready receives a value if there are more.
	Poll() (events []Event, ended bool)

	// Err returns, once Poll has reported the end, why events are missing there: the
	// log was lost before the run ended. It is nil after a run that has ended.
	Err() error
	// Seq is the sequence number of the last event that Poll returned. Before
	// that it is the number from which the follower began.
	Seq() int

	// Ready receives a value when Poll has something new.
	Ready() <-chan struct{}

	// Close ends the following; the run continues.
	Close()
}

// ErrRunLogExpired is the error of a run whose log is gone.
func ErrRunLogExpired() *Error {
	return Errorf(CodeRunLogExpired, "The events of this run are no longer kept; read its messages in the session's history.")
}

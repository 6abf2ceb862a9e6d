package chat

import (
	"time"

	"github.com/google/uuid"
)

// RunStatus is where a run stands.
type RunStatus string

// A run starts as running and ends, once, as completed, failed or cancelled.
const (
	RunRunning   RunStatus = "running"
	RunCompleted RunStatus = "completed"
	RunFailed    RunStatus = "failed"
	RunCancelled RunStatus = "cancelled"
	// RunWaiting is a completed run whose thread's newest item is its client tool
	// call that waits for the page's output. It is derived when a run is read and
	// never stored.
	RunWaiting RunStatus = "waiting"
)

// Run is the making of one answer. It outlives the request that started it.
type Run struct {
	ID        uuid.UUID
	SessionID uuid.UUID
	Status    RunStatus
	// Model is the model asked for, then the one that upstream says answered.
	Model string
	// UpstreamID is upstream's id of the answer (OpenRouter: generation id).
	UpstreamID string
	StartedAt  time.Time
	// FirstTokenAt and EndedAt are zero until they happen.
	FirstTokenAt time.Time
	EndedAt      time.Time
	Usage        Usage
	// FinishReason is why the model stopped in the run's last step, one of the
	// Finish constants; empty where upstream did not say.
	FinishReason string
	// FailureCode and FailureReason say why a run failed or was cancelled;
	// they hold nothing of upstream's own text.
	FailureCode   FailureCode
	FailureReason string

	// Owner is the server process that executes the run.
	Owner uuid.UUID
	// Lease is how long the run belongs to Owner once it is stored, unless the
	// lease is renewed. It is a duration because the store measures it: the
	// clocks of two server processes may differ.
	Lease time.Duration
}

// Usage is the tokens and the price of a run, as upstream reported them.
type Usage struct {
	InputTokens     int64
	OutputTokens    int64
	CachedTokens    int64
	ReasoningTokens int64
	// Cost is in upstream's credits (OpenRouter: US dollars); nil when upstream
	// did not report it, which is not the same as zero.
	Cost *float64
}

// Add returns the sum. A cost that was not reported adds nothing.
func (u Usage) Add(more Usage) Usage {
	u.InputTokens += more.InputTokens
	u.OutputTokens += more.OutputTokens
	u.CachedTokens += more.CachedTokens
	u.ReasoningTokens += more.ReasoningTokens
	switch {
	case u.Cost == nil:
		u.Cost = more.Cost
	case more.Cost != nil:
		sum := *u.Cost + *more.Cost
		u.Cost = &sum
	}
	return u
}

package chat

// FailureCode is the machine-readable cause of a run that did not complete.
type FailureCode string

// The causes that are not upstream's. Upstream's are the [UpstreamKind] values.
const (
	FailureClientLeft    FailureCode = "client_left"
	FailureSessionGone   FailureCode = "session_deleted"
	FailureServerStopped FailureCode = "server_stopped"
	FailureAnswerTooLong FailureCode = "answer_too_long"
	FailureTooManySteps  FailureCode = "too_many_steps"
	FailureUnavailable   FailureCode = "unavailable"
	FailureInternal      FailureCode = "internal"
	// FailureCancelled: the user cancelled the run.
	FailureCancelled FailureCode = "cancelled"
	// FailureTimeLimit: the run took longer than a run may take.
	FailureTimeLimit FailureCode = "time_limit"
)

// The FailureReason values that go with FailureServerStopped and
// FailureCancelled.
const (
	ReasonServerStopped = "The server stopped before the answer was complete."
	ReasonCancelled     = "The run was cancelled."
)

// Retryable reports whether sending the same message again may help. It is
// true for a code that this version does not know.
func (c FailureCode) Retryable() bool {
	switch c {
	case FailureSessionGone, FailureAnswerTooLong, FailureTooManySteps:
		return false
	case FailureCode(UpstreamCredentials), FailureCode(UpstreamPayment), FailureCode(UpstreamRefused),
		FailureCode(UpstreamBadRequest):
		return false
	default:
		return true
	}
}

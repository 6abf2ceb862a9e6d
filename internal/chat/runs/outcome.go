package runs

import (
	"errors"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// failure is what the followers of a run are told of its failure.
type failure struct {
	message string
	retry   bool
}

// setOutcome sets the run's status from the error that ended it. It returns the
// failure to publish; nil when the answer is complete.
func (e *executor) setOutcome(err error) *failure {
	if err == nil {
		e.run.Status = chat.RunCompleted
		return nil
	}
	if stop, ok := errors.AsType[cancelled](err); ok {
		return e.setStopped(stop.code)
	}
	e.run.Status = chat.RunFailed
	if away, ok := errors.AsType[*chat.Error](err); ok && away.Code == chat.CodeServiceUnavailable {
		return e.fail(chat.FailureUnavailable, away.Message)
	}
	upstream, ok := errors.AsType[*chat.UpstreamError](err)
	if !ok {
		return e.fail(chat.FailureInternal, "The answer could not be completed; try again.")
	}
	return e.fail(chat.FailureCode(upstream.Kind), upstreamMessage(upstream, e.hasText))
}

// setStopped sets the outcome of a run that was cancelled. A run that its user
// stopped, or whose session was deleted, is cancelled; any other has failed.
func (e *executor) setStopped(code chat.FailureCode) *failure {
	e.run.Status = chat.RunFailed
	switch code {
	case chat.FailureClientLeft, chat.FailureCancelled:
		e.run.Status = chat.RunCancelled
		return e.fail(code, chat.ReasonCancelled)
	case chat.FailureSessionGone:
		e.run.Status = chat.RunCancelled
		return e.fail(code, "The session was deleted.")
	case chat.FailureServerStopped:
		return e.fail(code, chat.ReasonServerStopped+" The part before it is kept.")
	case chat.FailureAnswerTooLong:
		return e.fail(code, "The answer grew too long and was cut; the part before the cut is kept.")
	case chat.FailureTimeLimit:
		return e.fail(code, "The run took longer than this server allows and was stopped; the part before that is kept.")
	case chat.FailureTooManySteps:
		return e.fail(code, "The model kept calling tools without an answer and was stopped.")
	case chat.FailureUnavailable, chat.FailureInternal:
	}
	return e.fail(code, "The answer could not be completed; try again.")
}

func (e *executor) fail(code chat.FailureCode, message string) *failure {
	e.run.FailureCode, e.run.FailureReason = code, message
	return &failure{message: message, retry: code.Retryable()}
}

// unsavedFailure is the failure of a run whose end could not be stored.
func unsavedFailure(err error) *failure {
	switch {
	case chat.CodeOf(err) == chat.CodeSessionNotFound:
		return &failure{message: "The session was deleted."}
	case isPassing(err):
		return &failure{message: "The answer is not saved yet: the database cannot be reached. It is saved when that is back."}
	}
	return &failure{message: "The answer could not be saved; try again.", retry: true}
}

// asRefusal is the failure as the error of a run that upstream never began to
// answer. It is nil if the user cancelled the run, which is no fault: the run then
// has a stream like any other.
func (f *failure) asRefusal(cause error) error {
	if upstream, ok := errors.AsType[*chat.UpstreamError](cause); ok {
		return &chat.Error{Code: chat.CodeUpstreamError, Message: f.message, RetryAfter: upstream.RetryAfter, Err: cause}
	}
	stop, ok := errors.AsType[cancelled](cause)
	if !ok {
		return cause
	}
	if stop.code == chat.FailureCancelled {
		return nil
	}
	if stop.code == chat.FailureSessionGone {
		return chat.ErrSessionNotFound()
	}
	return &chat.Error{Code: chat.CodeServiceUnavailable, Message: f.message, Err: cause}
}

// upstreamMessage is a failure of upstream as a user is told it. Kept says that
// a part of the answer is stored.
func upstreamMessage(e *chat.UpstreamError, kept bool) string {
	switch e.Kind {
	case chat.UpstreamUnreachable:
		return "The model provider cannot be reached; try again shortly."
	case chat.UpstreamTimeout:
		return "The model took too long to answer; try again."
	case chat.UpstreamBusy:
		return "The model provider is busy; try again shortly."
	case chat.UpstreamCredentials:
		return "The model provider refused this server's credentials; tell its operator."
	case chat.UpstreamPayment:
		return "This server's account at the model provider is out of credit; tell its operator."
	case chat.UpstreamRefused:
		return "The model provider declined this message."
	case chat.UpstreamBadRequest:
		return "The model provider did not accept the request; tell this server's operator."
	case chat.UpstreamEmpty:
		return "The model gave an answer without text; try again."
	case chat.UpstreamBroken:
	}
	if kept {
		return "The answer broke off; the part before it is kept. Try again."
	}
	return "The model provider's answer could not be read; try again, or tell this server's operator."
}

package chat

import "errors"

// failure is what the followers of a run are told of its failure.
type failure struct {
	message string
	retry   bool
}

// setOutcome sets the run's status from the error that ended it. It returns the
// failure to publish; nil when the answer is complete.
func (e *executor) setOutcome(err error) *failure {
	if err == nil {
		e.run.Status = RunCompleted
		return nil
	}
	if stop, ok := errors.AsType[cancelled](err); ok {
		return e.setStopped(stop.code)
	}
	e.run.Status = RunFailed
	if away, ok := errors.AsType[*Error](err); ok && away.Code == CodeServiceUnavailable {
		return e.fail(FailureUnavailable, away.Message, true)
	}
	upstream, ok := errors.AsType[*UpstreamError](err)
	if !ok {
		return e.fail(FailureInternal, "The answer could not be completed; try again.", true)
	}
	message, retry := upstream.message(e.hasText)
	return e.fail(FailureCode(upstream.Kind), message, retry)
}

// setStopped sets the outcome of a run that was cancelled. A run that its user
// stopped, or whose session was deleted, is cancelled; any other has failed.
func (e *executor) setStopped(code FailureCode) *failure {
	e.run.Status = RunFailed
	switch code {
	case FailureClientLeft:
		e.run.Status = RunCancelled
		return e.fail(code, "The run was cancelled.", true)
	case FailureSessionGone:
		e.run.Status = RunCancelled
		return e.fail(code, "The session was deleted.", false)
	case FailureServerStopped:
		return e.fail(code, ReasonServerStopped+" The part before it is kept.", true)
	case FailureAnswerTooLong:
		return e.fail(code, "The answer grew too long and was cut; the part before the cut is kept.", false)
	case FailureTooManySteps:
		return e.fail(code, "The model kept calling tools without an answer and was stopped.", false)
	case FailureUnavailable, FailureInternal:
	}
	return e.fail(code, "The answer could not be completed; try again.", true)
}

func (e *executor) fail(code FailureCode, message string, retry bool) *failure {
	e.run.FailureCode, e.run.FailureReason = code, message
	return &failure{message: message, retry: retry}
}

// unsavedFailure is the failure of a run whose end could not be stored.
func unsavedFailure(err error) *failure {
	switch {
	case CodeOf(err) == CodeSessionNotFound:
		return &failure{message: "The session was deleted."}
	case isPassing(err):
		return &failure{message: "The answer is not saved yet: the database is out of reach. It is saved when that is back."}
	}
	return &failure{message: "The answer could not be saved; try again.", retry: true}
}

// asRefusal is the failure as the error of a run that upstream never began to
// answer.
func (f *failure) asRefusal(cause error) error {
	if upstream, ok := errors.AsType[*UpstreamError](cause); ok {
		return &Error{Code: CodeUpstreamError, Message: f.message, RetryAfter: upstream.RetryAfter, Err: cause}
	}
	stop, ok := errors.AsType[cancelled](cause)
	if !ok {
		return cause
	}
	if stop.code == FailureSessionGone {
		return ErrSessionNotFound()
	}
	return &Error{Code: CodeServiceUnavailable, Message: f.message, Err: cause}
}

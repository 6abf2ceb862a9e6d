package chat

import "errors"

// failure is how a run's failure is told to whoever follows it.
type failure struct {
	message string
	retry   bool
}

// conclude sets the run's status from the error that ended it and returns
// what a follower is told; nil when the answer is complete.
func (r *ActiveRun) conclude(err error) *failure {
	if err == nil {
		r.run.Status = RunCompleted
		return nil
	}
	if stop, ok := errors.AsType[cancelled](err); ok {
		return r.concludeStopped(stop.code)
	}
	r.run.Status = RunFailed
	if away, ok := errors.AsType[*Error](err); ok && away.Code == CodeServiceUnavailable {
		return r.fail(FailureUnavailable, away.Message, true)
	}
	upstream, ok := errors.AsType[*UpstreamError](err)
	if !ok {
		return r.fail(FailureInternal, "The answer could not be completed; try again.", true)
	}
	message, retry := upstream.tell()
	return r.fail(FailureCode(upstream.Kind), message, retry)
}

func (r *ActiveRun) concludeStopped(code FailureCode) *failure {
	r.run.Status = RunCancelled
	switch code {
	case FailureServerStopped:
		r.run.Status = RunFailed
		return r.fail(code, ReasonServerStopped+" What had come is kept.", true)
	case FailureAnswerTooLong:
		r.run.Status = RunFailed
		return r.fail(code, "The answer grew too long and was cut; what had come is kept.", false)
	case FailureTooManySteps:
		r.run.Status = RunFailed
		return r.fail(code, "The model went on calling tools without an answer and was stopped.", false)
	case FailureSessionGone:
		return r.fail(code, "The session was deleted.", false)
	case FailureClientLeft, FailureUnavailable, FailureInternal:
	}
	return r.fail(code, "The run was cancelled.", true)
}

func (r *ActiveRun) fail(code FailureCode, message string, retry bool) *failure {
	r.run.FailureCode, r.run.FailureReason = code, message
	return &failure{message: message, retry: retry}
}

// unsaved is the failure of a run whose end could not be stored.
func unsaved(err error) *failure {
	if CodeOf(err) == CodeSessionNotFound {
		return &failure{message: "The session was deleted."}
	}
	return &failure{message: "The answer is not saved yet: the database is out of reach. It is saved when that is back."}
}

// asRefusal is the failure as the error of a run that upstream never began
// to answer.
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

package chat

import (
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Code names a kind of failure. Each API adapter has one table from codes to
// its own errors; the values are those of the REST API.
type Code string

// The codes of the core's errors.
const (
	CodeInvalidRequest     Code = "INVALID_REQUEST"
	CodeEmptyMessage       Code = "EMPTY_MESSAGE"
	CodeMessageTooLong     Code = "MESSAGE_TOO_LONG"
	CodeForbidden          Code = "FORBIDDEN"
	CodeSessionNotFound    Code = "SESSION_NOT_FOUND"
	CodeThreadNotFound     Code = "THREAD_NOT_FOUND"
	CodeItemNotFound       Code = "ITEM_NOT_FOUND"
	CodeAttachmentNotFound Code = "ATTACHMENT_NOT_FOUND"
	CodeAttachmentConflict Code = "ATTACHMENT_CONFLICT"
	CodeAttachmentLimit    Code = "ATTACHMENT_LIMIT"
	CodeRequestTooLarge    Code = "REQUEST_TOO_LARGE"
	CodeSessionLimit       Code = "SESSION_LIMIT"
	CodeNotSupported       Code = "NOT_SUPPORTED"
	CodeRunInProgress      Code = "RUN_IN_PROGRESS"
	CodeRunNotFound        Code = "RUN_NOT_FOUND"
	CodeRunLogExpired      Code = "RUN_LOG_EXPIRED"
	CodeUpstreamError      Code = "UPSTREAM_ERROR"
	CodeServiceUnavailable Code = "SERVICE_UNAVAILABLE"

	CodeUnsupportedMediaType Code = "UNSUPPORTED_MEDIA_TYPE"
)

// Error is a failure that a client may be told: Message holds nothing secret and
// says what to do. Every other error is internal.
type Error struct {
	Code    Code
	Message string
	// RetryAfter is how long a client should wait before it tries again; zero
	// when that is not known.
	RetryAfter time.Duration
	// RunID is the run that CodeRunInProgress is about; zero where it is not
	// known.
	RunID uuid.UUID
	// Err is the cause, for the log only.
	Err error
}

// Errorf makes an Error without a cause.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

func (e *Error) Error() string {
	if e.Err != nil {
		return string(e.Code) + ": " + e.Message + ": " + e.Err.Error()
	}
	return string(e.Code) + ": " + e.Message
}

func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of the Error in err's chain, or "" when there is none.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}

// ErrSessionNotFound says that no session has the id.
func ErrSessionNotFound() *Error {
	return Errorf(CodeSessionNotFound, "No session has this id.")
}

// ErrForbidden says that the session is another user's.
func ErrForbidden() *Error {
	return Errorf(CodeForbidden, "This session belongs to another user.")
}

// ErrSessionLimit says that the user already holds limit sessions.
func ErrSessionLimit(limit int) *Error {
	return Errorf(CodeSessionLimit, "You already have %d sessions, the most allowed; delete one first.", limit)
}

// ErrRunInProgress says that the thread's last run has not ended. The run's id
// is zero where it is not known.
func ErrRunInProgress(run uuid.UUID) *Error {
	return &Error{
		Code: CodeRunInProgress, Message: "This thread already has a run in progress; wait for it to end.", RunID: run,
	}
}

// ErrRunNotFound says that the session has no such run.
func ErrRunNotFound() *Error {
	return Errorf(CodeRunNotFound, "This session has no such run.")
}

// ErrItemNotFound says that the thread has no such item.
func ErrItemNotFound() *Error {
	return Errorf(CodeItemNotFound, "This thread has no such item.")
}

// ErrNoPendingCall says that no client tool call waits for an output.
func ErrNoPendingCall() *Error {
	return Errorf(CodeInvalidRequest, "The newest item of this thread is no client tool call that waits for its output.")
}

// ErrStoreUnavailable wraps a failure to reach the database.
func ErrStoreUnavailable(cause error) *Error {
	return &Error{
		Code: CodeServiceUnavailable, Message: "The database cannot be reached; try again shortly.",
		RetryAfter: 5 * time.Second, Err: cause,
	}
}

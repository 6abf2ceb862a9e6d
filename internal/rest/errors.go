package rest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// Failure is an answer that says what went wrong, in the documented envelope.
type Failure struct {
	Status  int
	Code    api.ErrorCode
	Message string
	// RetryAfter is sent in whole seconds, rounded up; zero is not sent.
	RetryAfter time.Duration
}

// statusClientClosedRequest is for the log alone, as nginx has it: whoever
// would read it has gone.
const statusClientClosedRequest = 499

// FailureOf is how an error is told. Only what is a *chat.Error is told in
// its own words.
func FailureOf(err error) Failure {
	if errors.Is(err, context.Canceled) {
		return Failure{
			Status: statusClientClosedRequest, Code: api.ErrorCodeInvalidRequest,
			Message: "The client went away before the answer.",
		}
	}
	var e *chat.Error
	if !errors.As(err, &e) {
		return Failure{
			Status: http.StatusInternalServerError, Code: api.ErrorCodeInternalError,
			Message: "The server met an unexpected fault; it is in its log.",
		}
	}
	status, ok := statuses()[e.Code]
	if !ok {
		status = http.StatusInternalServerError
	}
	return Failure{Status: status, Code: api.ErrorCode(e.Code), Message: e.Message, RetryAfter: e.RetryAfter}
}

// statuses is the one table from the core's codes to HTTP's.
func statuses() map[chat.Code]int {
	return map[chat.Code]int{
		chat.CodeInvalidRequest:     http.StatusBadRequest,
		chat.CodeEmptyMessage:       http.StatusBadRequest,
		chat.CodeMessageTooLong:     http.StatusBadRequest,
		chat.CodeForbidden:          http.StatusForbidden,
		chat.CodeSessionNotFound:    http.StatusNotFound,
		chat.CodeThreadNotFound:     http.StatusNotFound,
		chat.CodeItemNotFound:       http.StatusNotFound,
		chat.CodeAttachmentNotFound: http.StatusNotFound,
		chat.CodeAttachmentConflict: http.StatusConflict,
		chat.CodeAttachmentLimit:    http.StatusTooManyRequests,
		chat.CodeRequestTooLarge:    http.StatusRequestEntityTooLarge,
		chat.CodeNotSupported:       http.StatusNotFound,
		chat.CodeRunInProgress:      http.StatusConflict,
		chat.CodeSessionLimit:       http.StatusTooManyRequests,
		chat.CodeUpstreamError:      http.StatusBadGateway,
		chat.CodeServiceUnavailable: http.StatusServiceUnavailable,

		chat.CodeUnsupportedMediaType: http.StatusUnsupportedMediaType,
	}
}

// WriteFailure answers with a failure.
func WriteFailure(w http.ResponseWriter, f Failure) {
	if f.RetryAfter > 0 {
		seconds := (f.RetryAfter + time.Second - 1) / time.Second
		w.Header().Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.Status)
	// A client that has gone takes no answer; there is nobody to tell.
	//nolint:errchkjson // the same
	_ = json.NewEncoder(w).Encode(api.ErrorResponse{
		Success: false, Error: api.ErrorDetail{Code: f.Code, Message: f.Message},
	})
}

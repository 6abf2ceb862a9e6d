// Package problem turns errors into the answers that openapi.yaml documents for
// a request that failed.
package problem

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// Problem is an answer that says what went wrong, in the documented envelope.
type Problem struct {
	Status  int
	Code    api.ErrorCode
	Message string
	// RunID is the run that the failure is about; zero is not sent.
	RunID uuid.UUID
	// RetryAfter is sent in whole seconds, rounded up; zero is not sent.
	RetryAfter time.Duration
}

// statusClientClosedRequest is nginx's status for a client that disconnected
// before its answer. Only the log and the metrics show it.
const statusClientClosedRequest = 499

// statuses are the HTTP statuses of the core's codes.
var statuses = map[chat.Code]int{
	chat.CodeInvalidRequest:     http.StatusBadRequest,
	chat.CodeEmptyMessage:       http.StatusBadRequest,
	chat.CodeMessageTooLong:     http.StatusBadRequest,
	chat.CodeForbidden:          http.StatusForbidden,
	chat.CodeSessionNotFound:    http.StatusNotFound,
	chat.CodeThreadNotFound:     http.StatusNotFound,
	chat.CodeItemNotFound:       http.StatusNotFound,
	chat.CodeRunNotFound:        http.StatusNotFound,
	chat.CodeRunLogExpired:      http.StatusGone,
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

// FromError returns the answer to an error. Only a *chat.Error has a message
// that a client may read; the text of any other error stays in the log.
func FromError(err error) Problem {
	if errors.Is(err, context.Canceled) {
		return Problem{
			Status: statusClientClosedRequest, Code: api.ErrorCodeInvalidRequest,
			Message: "The client disconnected before the answer.",
		}
	}
	e, ok := errors.AsType[*chat.Error](err)
	if !ok {
		return Internal()
	}
	status, ok := statuses[e.Code]
	if !ok {
		status = http.StatusInternalServerError
	}
	return Problem{Status: status, Code: api.ErrorCode(e.Code), Message: e.Message, RunID: e.RunID, RetryAfter: e.RetryAfter}
}

// Internal is the answer to a fault whose cause only the log holds.
func Internal() Problem {
	return Problem{
		Status: http.StatusInternalServerError, Code: api.ErrorCodeInternalError,
		Message: "The server met an unexpected fault; it is in its log.",
	}
}

// Write answers with the problem.
func (p Problem) Write(w http.ResponseWriter) {
	if p.RetryAfter > 0 {
		seconds := (p.RetryAfter + time.Second - 1) / time.Second
		w.Header().Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	detail := api.ErrorDetail{Code: p.Code, Message: p.Message}
	if p.RunID != uuid.Nil {
		detail.RunID = &p.RunID
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(p.Status)
	// Writing fails only where the client has disconnected.
	//nolint:errchkjson // the same
	_ = json.NewEncoder(w).Encode(api.ErrorResponse{Success: false, Error: detail})
}

package mcp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

// answerError is an answer over HTTP that carries no result.
type answerError struct {
	problem string
	status  int
	// refused says that the tool was not called.
	refused bool
}

// Error implements [error].
func (e *answerError) Error() string { return e.problem }

// temporary reports whether the same connection may work again later.
func (e *answerError) temporary() bool { return isTemporary(e.status) }

// isTemporary reports whether a status says that the same request may be
// answered later.
func isTemporary(status int) bool {
	return status == http.StatusTooManyRequests || status >= http.StatusInternalServerError
}

// maxRefusal bounds what is read of a refusal, in bytes.
const maxRefusal = 64 << 10

// refusal turns an answer with an HTTP error status into an error of its
// request. Two kinds remain answers that the library reads: an unknown session,
// after which it closes the connection, and a JSON-RPC error that it can assign
// to its request.
func refusal(request *http.Request, response *http.Response) (*http.Response, error) {
	raw, _ := io.ReadAll(io.LimitReader(response.Body, maxRefusal)) // The status is known already.
	_ = response.Body.Close()
	failure := &answerError{problem: fmt.Sprintf("HTTP status %d %s", response.StatusCode, http.StatusText(response.StatusCode)), status: response.StatusCode}
	if request.Header.Get(sessionHeader) != "" && isUnknownSession(response.StatusCode, raw) {
		response.StatusCode, response.Body = http.StatusNotFound, http.NoBody
		if call, ok := request.Context().Value(attemptKey{}).(*attempt); ok {
			call.unknownSession.Store(true)
		}
		return response, nil
	}
	var answer struct {
		ID    json.RawMessage `json:"id"`
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	isAnswer := json.Unmarshal(raw, &answer) == nil && answer.Error.Message != ""
	if isAnswer && !failure.temporary() {
		if _, err := jsonrpc.DecodeMessage(raw); err == nil && len(answer.ID) > 0 && string(answer.ID) != "null" {
			response.Body = io.NopCloser(bytes.NewReader(raw))
			return response, nil
		}
	}
	if isAnswer {
		failure.problem += ": " + answer.Error.Message
	}
	failure.refused = isAnswer || isRefusal(response.StatusCode)
	return nil, failure
}

// isRefusal reports whether a status says that the server did not act.
func isRefusal(status int) bool {
	return status < http.StatusInternalServerError && status != http.StatusRequestTimeout ||
		status == http.StatusNotImplemented || status == http.StatusServiceUnavailable
}

// isUnknownSession reports whether a server does not know the session. The
// protocol wants 404; servers that copied the protocol's examples answer 400.
func isUnknownSession(status int, answer []byte) bool {
	return status == http.StatusNotFound ||
		status == http.StatusBadRequest && strings.Contains(strings.ToLower(string(answer)), "session")
}

func wrongType(status int, kind string) *answerError {
	if kind == "" {
		kind = "no content type"
	}
	return &answerError{problem: fmt.Sprintf("HTTP status %d with %s instead of JSON or an event stream", status, kind), status: status}
}

func notMessage(err error) *answerError {
	return &answerError{problem: "an answer that is no JSON-RPC message: " + err.Error()}
}

package harness

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/tests/harness/contract"
)

// Request is a request that the generated client cannot send.
type Request struct {
	Method string
	Path   string
	Header http.Header
	// Body is sent as application/json unless Header has a Content-Type. Nil
	// sends no body.
	Body io.Reader
}

// Answer is a response with its body.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Code returns the code of an error response, or "".
func (a Answer) Code() string {
	var body contract.ErrorBody
	if json.Unmarshal(a.Body, &body) != nil {
		return ""
	}
	return body.Error.Code
}

// Message returns the message of an error response, or "".
func (a Answer) Message() string {
	var body contract.ErrorBody
	if json.Unmarshal(a.Body, &body) != nil {
		return ""
	}
	return body.Error.Message
}

// Do sends a request with the headers in it and no others, so without a token
// unless the request has one.
func (s *Server) Do(tb testing.TB, request Request) Answer {
	tb.Helper()
	return send(tb, s.HTTP(tb), s.URL, request)
}

// Do sends a request with the user's token, unless the request has an
// Authorization header, even an empty one.
func (u *User) Do(request Request) Answer {
	u.t.Helper()
	header := request.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	if _, ok := header["Authorization"]; !ok {
		header.Set("Authorization", "Bearer "+u.Token)
	}
	request.Header = header
	return send(u.t, u.http, u.server.URL, request)
}

func send(tb testing.TB, httpClient *http.Client, base string, r Request) Answer {
	tb.Helper()
	request, err := http.NewRequestWithContext(contextOf(tb), r.Method, base+r.Path, r.Body)
	if err != nil {
		tb.Fatalf("create a request: %v", err)
	}
	maps.Copy(request.Header, r.Header)
	if r.Body != nil && r.Header.Get("Content-Type") == "" {
		if _, ok := r.Header["Content-Type"]; !ok {
			request.Header.Set("Content-Type", "application/json")
		}
	}
	response, err := httpClient.Do(request)
	if err != nil {
		tb.Fatalf("%s %s: %v", r.Method, r.Path, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		tb.Fatalf("%s %s: read the answer: %v", r.Method, r.Path, err)
	}
	return Answer{Status: response.StatusCode, Header: response.Header, Body: body}
}

// SessionsPath is the prefix of all paths of the API.
const SessionsPath = "/api/v1/chatkit/sessions"

// SessionPath returns the path of a session.
func SessionPath(session uuid.UUID) string { return SessionsPath + "/" + session.String() }

// ThreadsPath returns the path of a session's threads.
func ThreadsPath(session uuid.UUID) string { return SessionPath(session) + "/threads" }

// RunsPath returns the path of a thread's runs.
func RunsPath(session, thread uuid.UUID) string {
	return ThreadsPath(session) + "/" + thread.String() + "/runs"
}

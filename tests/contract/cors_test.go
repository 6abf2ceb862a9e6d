package contract_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

const (
	allowedOrigin = "https://app.example.com"
	otherOrigin   = "http://localhost:3000"
)

// appOrigins are origins of apps and browser extensions.
func appOrigins() []string {
	return []string{
		"capacitor://localhost", "ionic://localhost", "tauri://localhost", "app://-",
		"chrome-extension://abcdefghijklmnopabcdefghijklmnop",
	}
}

func corsEnv() map[string]string {
	return map[string]string{"CORS_ORIGINS": strings.Join(append(appOrigins(), allowedOrigin, otherOrigin), ",")}
}

func preflight(path, origin, method string) harness.Request {
	return harness.Request{Method: http.MethodOptions, Path: path, Header: header(
		"Origin", origin, "Access-Control-Request-Method", method,
		"Access-Control-Request-Headers", strings.Join(allowedHeaders(), ","),
	)}
}

// allowedHeaders are the request headers that a page of an allowed origin may
// send: those of the API, of an EventSource, of the ChatKit component and of W3C
// Trace Context.
func allowedHeaders() []string {
	return []string{
		"accept", "accept-language", "authorization", "baggage", "chatkit-device-id", "chatkit-frame-instance-id",
		"content-type", "last-event-id", "openai-sentinel-token", "origin", "traceparent", "tracestate",
	}
}

// words returns the elements of a comma-separated header in lower case.
func words(head http.Header, name string) []string {
	var list []string
	for _, value := range head.Values(name) {
		for word := range strings.SplitSeq(value, ",") {
			list = append(list, strings.ToLower(strings.TrimSpace(word)))
		}
	}
	slices.Sort(list)
	return list
}

// TestCORS tests requests from pages of other origins.
func TestCORS(t *testing.T) {
	t.Parallel()
	suite(t, corsEnv(), map[string]check{
		"preflight":      preflights,
		"cross origin":   crossOrigin,
		"foreign origin": foreignOrigin,
		"cookie":         cookie,
	})
}

// preflights tests the requests that a browser sends before a page's own.
func preflights(t *testing.T, server *harness.Server) {
	id := uuid.New()
	for _, path := range []string{
		harness.SessionsPath, harness.SessionPath(id), harness.ThreadsPath(id), harness.RunsPath(id, id),
	} {
		for _, method := range []string{"GET", "POST", "PUT", "DELETE", "PATCH"} {
			for _, origin := range append(appOrigins(), allowedOrigin, otherOrigin) {
				checkPreflight(t, server.Do(t, preflight(path, origin, method)), origin)
			}
		}
	}
}

func checkPreflight(t *testing.T, answer harness.Answer, origin string) {
	t.Helper()
	if answer.Status != http.StatusNoContent && answer.Status != http.StatusOK {
		t.Errorf("a preflight answered %d %s", answer.Status, answer.Body)
	}
	checkAllowed(t, answer.Header, origin)
	methods := words(answer.Header, "Access-Control-Allow-Methods")
	if !slices.Equal(methods, []string{"delete", "get", "options", "patch", "post", "put"}) {
		t.Errorf("methods %v", methods)
	}
	headers := words(answer.Header, "Access-Control-Allow-Headers")
	if !slices.Equal(headers, allowedHeaders()) {
		t.Errorf("headers %v, want %v", headers, allowedHeaders())
	}
}

func checkAllowed(t *testing.T, head http.Header, origin string) {
	t.Helper()
	if got := head.Values("Access-Control-Allow-Origin"); !slices.Equal(got, []string{origin}) {
		t.Errorf("Access-Control-Allow-Origin is %v, want %s", got, origin)
	}
	if got := head.Get("Access-Control-Allow-Credentials"); got != "true" {
		t.Errorf("Access-Control-Allow-Credentials is %q", got)
	}
	if !slices.Contains(words(head, "Vary"), "origin") {
		t.Errorf("Vary is %v", head.Values("Vary"))
	}
}

// crossOrigin checks that a page of an allowed origin can read answers,
// failures included, and the headers it needs.
func crossOrigin(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	session := alice.CreateSession()
	exposed := []string{"ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "retry-after", "x-request-id", "x-run-id"}
	requests := []harness.Request{
		{Method: http.MethodGet, Path: harness.SessionsPath},
		{Method: http.MethodGet, Path: harness.SessionPath(uuid.New())},
		{Method: http.MethodGet, Path: harness.SessionsPath, Header: header("Authorization", "")},
		{Method: http.MethodPut, Path: harness.SessionsPath},
		{Method: http.MethodGet, Path: "/nothing"},
		{Method: http.MethodGet, Path: "/openapi.json"},
		{Method: http.MethodGet, Path: "/health"},
		runRequest(session, helloBody),
		runRequest(session, "{"),
	}
	for _, request := range requests {
		if request.Header == nil {
			request.Header = http.Header{}
		}
		request.Header.Set("Origin", allowedOrigin)
		answer := alice.Do(request)
		checkAllowed(t, answer.Header, allowedOrigin)
		if id := answer.Header.Get("X-Request-Id"); uuid.Validate(id) != nil {
			t.Errorf("%s %s has the request id %q", request.Method, request.Path, id)
		}
		if got := words(answer.Header, "Access-Control-Expose-Headers"); !slices.Equal(got, exposed) {
			t.Errorf("%s %s exposes %v", request.Method, request.Path, got)
		}
	}
	for _, origin := range appOrigins() {
		request := createRequest()
		request.Header = header("Origin", origin)
		answer := alice.Do(request)
		wantOK(t, answer)
		checkAllowed(t, answer.Header, origin)
	}
	own := createRequest() // The server's own pages may call it too.
	own.Header = header("Origin", server.URL)
	wantOK(t, alice.Do(own))
}

// foreignOrigin checks that a page of another origin can read nothing and that
// its request changes nothing.
func foreignOrigin(t *testing.T, server *harness.Server) {
	foreign := []string{
		"https://evil.example", "null", "https://app.example.com.evil.example", "https://app.example.com:8443",
		"http://app.example.com", "https://evil.example?https://app.example.com", "https://APP.example.com.", "*", "file://",
		"https://app.example.com@evil.example", "capacitor://app.example.com", "tauri://evil", "chrome-extension://app.example.com",
	}
	alice := server.User(t)
	session := alice.CreateSession()
	for _, origin := range foreign {
		for _, o := range operations(session) {
			request := o.request()
			request.Header = header("Origin", origin)
			checkForeign(t, o.id, alice.Do(request))
		}
		checkForeign(t, "a preflight", server.Do(t, preflight(harness.SessionsPath, origin, http.MethodPost)))
	}
	alice.Session(session)
	if total := alice.Sessions().Meta.Total; total != 1 {
		t.Errorf("foreign pages changed the sessions: there are %d", total)
	}
}

func checkForeign(t *testing.T, what string, answer harness.Answer) {
	t.Helper()
	if answer.Status != http.StatusForbidden || answer.Code() != "FORBIDDEN" {
		t.Errorf("%s from a foreign origin: got %d %s", what, answer.Status, answer.Body)
	}
	for name := range answer.Header {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("%s from a foreign origin got %s: %v", what, name, answer.Header.Values(name))
		}
	}
}

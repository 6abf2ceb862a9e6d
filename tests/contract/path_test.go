package contract_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// TestPaths tests paths, methods, ids and query parameters.
func TestPaths(t *testing.T) {
	t.Parallel()
	suite(t, nil, map[string]check{
		"unknown path":   unknownPath,
		"wrong method":   wrongMethod,
		"health methods": healthMethods,
		"bad id":         badID,
		"session owner":  sessionOwner,
		"thread owner":   threadOwner,
		"bad query":      badQuery,
		"bad encoding":   badEncoding,
		"encoded slash":  encodedSlash,
	})
}

// unknownPath checks that an unknown path is not found, whatever the method and
// the token.
func unknownPath(t *testing.T, server *harness.Server) {
	id := uuid.New().String()
	paths := []string{
		"/nothing", "/api", "/api/", "/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v2/chatkit/sessions",
		"/api/v1/chatkit/", "/api/v1/chatkit/session", "/api/v1/chatkit/sessions/", "//api/v1/chatkit/sessions",
		"/api/v1//chatkit/sessions", "/API/V1/CHATKIT/SESSIONS", "/api/v1/chatkit/sessions/" + id + "/",
		"/api/v1/chatkit/sessions/" + id + "/messages", "/api/v1/chatkit/sessions/" + id + "/threads/",
		"/api/v1/chatkit/sessions/" + id + "/threads/" + id, "/api/v1/chatkit/sessions/" + id + "/threads/" + id + "/runs/",
		"/api/v1/chatkit/sessions/" + id + "/threads/" + id + "/runs/" + id + "/x",
		"/api/v1/chatkit/sessions/" + id + "/../../../../etc/passwd", "/.env", "/openapi", "/metrics", "/debug/pprof/",
		"/%00", "/%ff", "/api/v1/chatkit/sessions%2f", "/" + strings.Repeat("a", 8000),
		"/<script>alert(1)</script>", "/health/", "/readyz/x",
	}
	alice := server.User(t)
	for _, path := range paths {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
			request := harness.Request{Method: method, Path: path}
			for who, answer := range map[string]harness.Answer{
				"with a token": alice.Do(request), "without": server.Do(t, request),
			} {
				if answer.Status != http.StatusNotFound || answer.Code() != "NOT_FOUND" {
					t.Errorf("%s %.80s %s: got %d %.200s", method, path, who, answer.Status, answer.Body)
				}
			}
		}
	}
}

// wrongMethod checks that a 405 lists the allowed methods.
func wrongMethod(t *testing.T, server *harness.Server) {
	id := uuid.New()
	resources := []struct {
		path  string
		allow []string
	}{
		{harness.SessionsPath, []string{"GET", "POST"}},
		{harness.SessionPath(id), []string{"DELETE", "GET"}},
		{harness.ThreadsPath(id), []string{"POST"}},
		{harness.RunsPath(id, id), []string{"GET", "POST"}},
		{harness.RunPath(id, id.String()), []string{"GET"}},
		{harness.RunPath(id, id.String()) + "/events", []string{"GET"}},
		{harness.RunPath(id, id.String()) + "/cancel", []string{"POST"}},
	}
	methods := []string{
		"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "PURGE", "QUERY", "get", "X-ODD.~!",
	}
	alice := server.User(t)
	for _, resource := range resources {
		for _, method := range methods {
			if slices.Contains(resource.allow, method) {
				continue
			}
			request := harness.Request{Method: method, Path: resource.path}
			for who, answer := range map[string]harness.Answer{
				"with a token": alice.Do(request), "without": server.Do(t, request),
			} {
				checkNotAllowed(t, method+" "+resource.path+" "+who, method, answer, resource.allow)
			}
		}
	}
}

func checkNotAllowed(t *testing.T, what, method string, answer harness.Answer, allow []string) {
	t.Helper()
	if answer.Status != http.StatusMethodNotAllowed {
		t.Errorf("%s: got %d %s", what, answer.Status, answer.Body)
		return
	}
	if method != http.MethodHead && answer.Code() != "METHOD_NOT_ALLOWED" {
		t.Errorf("%s: got %s", what, answer.Body)
	}
	var got []string
	for _, value := range answer.Header.Values("Allow") {
		for name := range strings.SplitSeq(value, ",") {
			got = append(got, strings.TrimSpace(name))
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, allow) {
		t.Errorf("%s: Allow is %v, want %v", what, got, allow)
	}
}

// healthMethods checks that a wrong method on a health endpoint gets the error
// envelope too.
func healthMethods(t *testing.T, server *harness.Server) {
	for _, path := range []string{"/health", "/readyz", "/openapi.yaml", "/openapi.json"} {
		answer := server.Do(t, harness.Request{Method: http.MethodPost, Path: path})
		want(t, answer, 405, "METHOD_NOT_ALLOWED")
		if allow := answer.Header.Get("Allow"); !strings.Contains(allow, "GET") {
			t.Errorf("%s: Allow is %q", path, allow)
		}
	}
	for _, path := range []string{"/health", "/readyz"} {
		answer := server.Do(t, harness.Request{Method: http.MethodHead, Path: path})
		if answer.Status != http.StatusOK || len(answer.Body) > 0 || answer.Header.Get("Content-Type") != "application/json" {
			t.Errorf("HEAD %s: %d %v %q", path, answer.Status, answer.Header, answer.Body)
		}
	}
	answer := server.Do(t, harness.Request{Method: http.MethodGet, Path: "/health"})
	if got := strings.TrimSpace(string(answer.Body)); got != `{"status":"healthy"}` {
		t.Errorf("/health says %s", got)
	}
	answer = server.Do(t, harness.Request{Method: http.MethodGet, Path: "/readyz"})
	if got := strings.TrimSpace(string(answer.Body)); got != `{"status":"ready","checks":{"database":"ok","migrations":"ok"}}` {
		t.Errorf("/readyz says %s", got)
	}
}

// badID checks that an id must be a UUID in its usual form, in upper or lower
// case.
func badID(t *testing.T, server *harness.Server) {
	good := uuid.New().String()
	bad := []string{
		"42", "not-a-uuid", strings.ReplaceAll(good, "-", ""), "%7B" + good + "%7D", "urn:uuid:" + good, good + "0",
		good[:35], strings.Repeat("g", 8) + good[8:], "%20" + good[1:], good + "%00", strings.Repeat("a", 4000), "%2e%2e",
		"%F0%9F%98%80", "null", "-1",
	}
	alice := server.User(t)
	session := alice.CreateSession()
	for _, o := range onSession(session) {
		for _, id := range bad {
			request := o.request()
			request.Path = strings.Replace(o.path, session.String(), id, 1)
			answer := alice.Do(request)
			if answer.Code() != "INVALID_REQUEST" || !strings.Contains(answer.Message(), "session_id") {
				t.Errorf("%s of %.60s: got %d %.200s", o.id, id, answer.Status, answer.Body)
			}
		}
	}
	for _, id := range bad {
		path := harness.ThreadsPath(session) + "/" + id + "/runs"
		answer := alice.Do(harness.Request{Method: http.MethodPost, Path: path, Body: strings.NewReader(helloBody)})
		if answer.Code() != "INVALID_REQUEST" || !strings.Contains(answer.Message(), "thread_id") {
			t.Errorf("a run in thread %.60s: got %d %.200s", id, answer.Status, answer.Body)
		}
	}
	upper := harness.SessionsPath + "/" + strings.ToUpper(session.String())
	wantOK(t, alice.Do(harness.Request{Method: http.MethodGet, Path: upper}))
}

// sessionOwner checks that every operation on another user's session is
// FORBIDDEN, that one on a deleted or unknown session is SESSION_NOT_FOUND, and
// that neither has an effect.
func sessionOwner(t *testing.T, server *harness.Server) {
	alice, bob := server.User(t), server.User(t)
	hers, deleted := alice.CreateSession(), bob.CreateSession()
	alice.Say(hers, "Hello")
	bob.DeleteSession(deleted)
	before := alice.Session(hers)
	const question = "Whose is this?"
	for n, o := range onSession(hers) {
		o.body = strings.Replace(o.body, "Hello", question, 1)
		want(t, bob.Do(o.request()), 403, "FORBIDDEN")
		want(t, bob.Do(onSession(deleted)[n].request()), 404, "SESSION_NOT_FOUND")
		want(t, bob.Do(onSession(uuid.New())[n].request()), 404, "SESSION_NOT_FOUND")
		want(t, bob.Do(onSession(uuid.Nil)[n].request()), 404, "SESSION_NOT_FOUND")
	}
	if after := alice.Session(hers); !after.UpdatedAt.Equal(before.UpdatedAt) || len(after.Messages) != 2 {
		t.Errorf("Bob's tries changed Alice's session: %+v", after)
	}
	if requests := server.Upstream.Requests(question); len(requests) > 0 {
		t.Errorf("a refused run asked the model")
	}
}

// threadOwner checks that the only thread of a session is the one with the
// session's id.
func threadOwner(t *testing.T, server *harness.Server) {
	alice, bob := server.User(t), server.User(t)
	one, other, theirs := alice.CreateSession(), alice.CreateSession(), bob.CreateSession()
	run := func(user *harness.User, session, thread uuid.UUID) harness.Answer {
		return user.Do(harness.Request{
			Method: http.MethodPost, Path: harness.RunsPath(session, thread), Body: strings.NewReader(helloBody),
		})
	}
	want(t, run(alice, one, uuid.New()), 404, "THREAD_NOT_FOUND")
	want(t, run(alice, one, other), 404, "THREAD_NOT_FOUND")
	want(t, run(alice, one, theirs), 404, "THREAD_NOT_FOUND")
	want(t, run(alice, theirs, one), 403, "FORBIDDEN")
	want(t, run(alice, uuid.New(), one), 404, "SESSION_NOT_FOUND")
	if messages := alice.Session(one).Messages; len(messages) != 0 {
		t.Errorf("refused runs left messages: %+v", messages)
	}
}

// badEncoding checks that a query that cannot be decoded is refused and not
// read in part.
func badEncoding(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	for _, query := range []string{"after=%", "after=%zz", "after=%4", "limit=1&%", "limit=1&x=%g1", "limit=1;after=x"} {
		answer := alice.Do(harness.Request{Method: http.MethodGet, Path: harness.SessionsPath + "?" + query})
		want(t, answer, 400, "INVALID_REQUEST")
		wantNamed(t, answer, "query")
		if answer := server.Do(t, harness.Request{Method: http.MethodGet, Path: harness.SessionsPath + "?" + query}); answer.Status != 401 {
			t.Errorf("?%s without a token: got %d", query, answer.Status)
		}
	}
	for _, query := range []string{"", "limit=%31", "limit=1&other=%F0%9F%98%80", "&&limit=1&"} {
		wantOK(t, alice.Do(harness.Request{Method: http.MethodGet, Path: harness.SessionsPath + "?" + query}))
	}
}

// encodedSlash checks that an encoded slash does not separate path segments.
func encodedSlash(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	session := alice.CreateSession()
	for _, o := range operations(session) {
		for n, letter := range o.path {
			if n == 0 || letter != '/' {
				continue
			}
			for _, slash := range []string{"%2F", "%2f"} {
				path := o.path[:n] + slash + o.path[n+1:]
				want(t, alice.Do(o.requestAt(path)), 404, "NOT_FOUND")
				want(t, server.Do(t, o.requestAt(path)), 404, "NOT_FOUND")
			}
		}
	}
	wantOK(t, alice.Do(harness.Request{Method: http.MethodGet, Path: "/api/v1/chatkit/%73essions/" + session.String()}))
}

// badQuery tests the query parameters of a list.
func badQuery(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	alice.CreateSession()
	for _, value := range []string{"", "0", "-1", "101", "1000000", "abc", "1.5", "1e1", "%20", "0x10", "99999999999999999999", "null"} {
		answer := alice.Do(harness.Request{Method: http.MethodGet, Path: harness.SessionsPath + "?limit=" + value})
		if answer.Code() != "INVALID_REQUEST" || !strings.Contains(answer.Message(), "limit") {
			t.Errorf("limit=%s: got %d %s", value, answer.Status, answer.Body)
		}
	}
	for _, value := range []string{"", "abc", "====", "%00", "AAAA", strings.Repeat("A", 32) + "=", strings.Repeat("A", 257), "%27%20OR%201=1"} {
		answer := alice.Do(harness.Request{Method: http.MethodGet, Path: harness.SessionsPath + "?after=" + value})
		if answer.Code() != "INVALID_REQUEST" || !strings.Contains(answer.Message(), "after") {
			t.Errorf("after=%.40s: got %d %s", value, answer.Status, answer.Body)
		}
	}
	wantOK(t, alice.Do(harness.Request{Method: http.MethodGet, Path: harness.SessionsPath + "?limit=1&other=x"}))
	wantOK(t, alice.Do(harness.Request{Method: http.MethodGet, Path: harness.SessionsPath + "?limit=100"}))
}

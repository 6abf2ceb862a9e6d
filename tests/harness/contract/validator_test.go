package contract

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// recorder is a testing.TB that records failures instead of failing.
type recorder struct {
	testing.TB

	mu     sync.Mutex
	failed []string
}

func (*recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = append(r.failed, fmt.Sprintf(format, args...))
}

func (r *recorder) Error(args ...any) { r.Errorf("%s", fmt.Sprint(args...)) }

// fixedResponse is a round tripper that returns a response. It sets the security
// headers that head does not have.
type fixedResponse struct {
	status int
	head   http.Header
	body   string
}

func (a fixedResponse) RoundTrip(request *http.Request) (*http.Response, error) {
	head := http.Header{
		"X-Content-Type-Options": {"nosniff"}, "Referrer-Policy": {"no-referrer"}, "Cache-Control": {"no-store"},
		"Content-Security-Policy": {"default-src 'none'; frame-ancestors 'none'"},
	}
	maps.Copy(head, a.head)
	return &http.Response{
		StatusCode: a.status, Header: head, Body: io.NopCloser(strings.NewReader(a.body)), Request: request,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

// validate sends a request through a validator and returns the reported
// violations.
func validate(t *testing.T, method, path string, answer fixedResponse) []string {
	t.Helper()
	spec, err := loadSpecification()
	if err != nil {
		t.Fatal(err)
	}
	recorded := &recorder{TB: t}
	client := &http.Client{Transport: &validator{
		Options: Options{Next: answer, Secrets: []string{"the-secret-word"}}, t: recorded, spec: spec,
	}}
	request, err := http.NewRequestWithContext(t.Context(), method, "http://server.test"+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Fatal(err)
	}
	return recorded.failed
}

func jsonHead(pairs ...string) http.Header {
	head := http.Header{"Content-Type": {"application/json"}}
	for n := 0; n+1 < len(pairs); n += 2 {
		head.Set(pairs[n], pairs[n+1])
	}
	return head
}

func streamHead() http.Header {
	return http.Header{
		"Content-Type": {"text/event-stream"}, "Cache-Control": {"no-cache"}, "X-Accel-Buffering": {"no"},
		"X-Run-Id": {"e1b7c3a4-2f58-4d90-9b6c-85a0d4f7e312"},
	}
}

func pageHead() http.Header {
	return http.Header{
		"Content-Type": {"text/html"}, "Cache-Control": {"no-cache"},
		"Content-Security-Policy": {"default-src 'none'; script-src 'self'; frame-ancestors 'none'"},
	}
}

const (
	someID       = "3f0a9d52-6c1e-4b7a-9f43-2d5b8c7e1a60"
	created      = `{"success":true,"data":{"id":"` + someID + `","user_id":"alice","created_at":"2026-11-23T09:15:01Z"}}`
	refused      = `{"success":false,"error":{"code":"UNAUTHORIZED","message":"No."}}`
	options      = `data: {"type":"stream_options","stream_options":{"allow_cancel":true}}` + "\n\n"
	endFrame     = "data: [DONE]\n\n"
	sessionsPath = "/api/v1/chatkit/sessions"
	runPath      = sessionsPath + "/" + someID + "/threads/" + someID + "/runs"
)

// sessionList returns a list of one session whose title has titleChars
// characters.
func sessionList(titleChars int) string {
	return `{"success":true,"data":[{"id":"` + someID + `","user_id":"alice","title":"` + strings.Repeat("😀", titleChars) +
		`","created_at":"2026-11-23T09:15:01Z","updated_at":"2026-11-23T09:15:01Z","message_count":0}],"meta":{"total":1}}`
}

// TestValidatorPasses checks that correct responses are not reported.
func TestValidatorPasses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method, path string
		answer       fixedResponse
	}{
		"created":      {"POST", sessionsPath, fixedResponse{200, jsonHead(), created}},
		"microseconds": {"POST", sessionsPath, fixedResponse{200, jsonHead(), strings.Replace(created, "01Z", "01.123456Z", 1)}},
		"refused":      {"POST", sessionsPath, fixedResponse{401, jsonHead("WWW-Authenticate", "Bearer"), refused}},
		"stream":       {"POST", runPath, fixedResponse{200, streamHead(), ": hello\n\n" + numbered(options+": hello\n\n"+endFrame)}},
		"followed":     {"GET", runPath + "/" + someID + "/events?after=7", fixedResponse{200, streamHead(), "id: 8\n" + options + endFrame}},
		"unknown path": {"GET", "/nothing", fixedResponse{404, jsonHead(), `{"success":false,"error":{"code":"NOT_FOUND","message":"No."}}`}},
		"page":         {"GET", "/docs", fixedResponse{200, pageHead(), "<html>"}},
		"long title":   {"GET", sessionsPath, fixedResponse{200, jsonHead(), sessionList(100)}},
	} {
		if failed := validate(t, c.method, c.path, c.answer); len(failed) > 0 {
			t.Errorf("%s: %q", name, failed)
		}
	}
}

// TestValidatorFails checks that each violation is reported.
func TestValidatorFails(t *testing.T) {
	t.Parallel()
	replaced := func(text, part, other string) fixedResponse {
		return fixedResponse{200, jsonHead(), strings.Replace(text, part, other, 1)}
	}
	stream := func(frames string) fixedResponse { return fixedResponse{200, streamHead(), numbered(frames)} }
	unnumbered := func(frames string) fixedResponse { return fixedResponse{200, streamHead(), frames} }
	bearer := jsonHead("WWW-Authenticate", "Bearer")
	for name, c := range map[string]struct {
		method, path string
		answer       fixedResponse
	}{
		"additional field":             {"POST", sessionsPath, replaced(created, `"user_id"`, `"extra":1,"user_id"`)},
		"missing field":                {"POST", sessionsPath, replaced(created, `"user_id":"alice",`, ``)},
		"no success":                   {"POST", sessionsPath, replaced(created, `"success":true,`, ``)},
		"additional field of the body": {"POST", sessionsPath, replaced(created, `"success"`, `"meta":{},"success"`)},
		"bad UUID":                     {"POST", sessionsPath, replaced(created, someID, "42")},
		"UUID in capitals":             {"POST", sessionsPath, replaced(created, someID, strings.ToUpper(someID))},
		"time with offset":             {"POST", sessionsPath, replaced(created, "01Z", "01+00:00")},
		"no time":                      {"POST", sessionsPath, replaced(created, "2026-11-23T09:15:01Z", "now")},
		"wrong type":                   {"POST", sessionsPath, replaced(created, `"alice"`, `1`)},
		"not JSON":                     {"POST", sessionsPath, replaced(created, `{`, ``)},
		"text/plain":                   {"POST", sessionsPath, fixedResponse{200, http.Header{"Content-Type": {"text/plain"}}, created}},
		"status":                       {"POST", sessionsPath, fixedResponse{201, jsonHead(), created}},
		"no such status":               {"GET", sessionsPath, fixedResponse{413, jsonHead(), `{"success":false,"error":{"code":"REQUEST_TOO_LARGE","message":"No."}}`}},
		"no header":                    {"POST", sessionsPath, fixedResponse{401, jsonHead(), refused}},
		"other header":                 {"POST", sessionsPath, fixedResponse{401, jsonHead("WWW-Authenticate", "Basic"), refused}},
		"code and status":              {"POST", sessionsPath, fixedResponse{401, bearer, strings.Replace(refused, "UNAUTHORIZED", "FORBIDDEN", 1)}},
		"unknown code":                 {"POST", sessionsPath, fixedResponse{401, bearer, strings.Replace(refused, "UNAUTHORIZED", "NOPE", 1)}},
		"no message":                   {"POST", sessionsPath, fixedResponse{401, bearer, strings.Replace(refused, "No.", "", 1)}},
		"secret":                       {"POST", sessionsPath, fixedResponse{401, bearer, strings.Replace(refused, "No.", "the-secret-word", 1)}},
		"secret header":                {"POST", sessionsPath, fixedResponse{401, jsonHead("WWW-Authenticate", "Bearer", "X-A", "the-secret-word"), refused}},
		"SQL":                          {"POST", sessionsPath, fixedResponse{401, bearer, strings.Replace(refused, "No.", "INSERT INTO sessions", 1)}},
		"limit header":                 {"POST", sessionsPath, fixedResponse{200, jsonHead("RateLimit-Limit", "30"), created}},
		"page for 404":                 {"GET", "/nothing", fixedResponse{404, http.Header{"Content-Type": {"text/html"}}, "<html>"}},
		"no Allow":                     {"PUT", sessionsPath, fixedResponse{405, jsonHead(), `{"success":false,"error":{"code":"METHOD_NOT_ALLOWED","message":"No."}}`}},
		"hidden operation":             {"PUT", sessionsPath, fixedResponse{200, jsonHead(), created}},
		"no Retry-After":               {"GET", sessionsPath, fixedResponse{429, jsonHead(), `{"success":false,"error":{"code":"RATE_LIMIT_EXCEEDED","message":"No."}}`}},
		"title too long":               {"GET", sessionsPath, fixedResponse{200, jsonHead(), sessionList(101)}},
		"no [DONE]":                    {"POST", runPath, stream(options)},
		"cut frame":                    {"POST", runPath, stream(options + "data: [DONE]")},
		"after [DONE]":                 {"POST", runPath, stream(options + endFrame + options)},
		"event with additional field":  {"POST", runPath, stream(strings.Replace(options, `"type"`, `"extra":1,"type"`, 1) + endFrame)},
		"event with missing field":     {"POST", runPath, stream(strings.Replace(options, `{"allow_cancel":true}`, `{}`, 1) + endFrame)},
		"unknown event":                {"POST", runPath, stream(strings.Replace(options, `"stream_options",`, `"other",`, 1) + endFrame)},
		"event not JSON":               {"POST", runPath, stream("data: hello\n\n" + endFrame)},
		"event without id":             {"POST", runPath, unnumbered(options + endFrame)},
		"first id":                     {"POST", runPath, unnumbered("id: 2\n" + options + endFrame)},
		"followed from the start":      {"GET", runPath + "/" + someID + "/events?after=7", unnumbered("id: 1\n" + options + endFrame)},
		"id missing":                   {"POST", runPath, unnumbered("id: 1\n" + options + "id: 3\n" + options + endFrame)},
		"same id again":                {"POST", runPath, unnumbered("id: 1\n" + options + "id: 1\n" + options + endFrame)},
		"id of [DONE]":                 {"POST", runPath, unnumbered("id: 1\n" + endFrame)},
		"other SSE line":               {"POST", runPath, stream("event: x\n" + options + endFrame)},
		"stream, no run id":            {"POST", runPath, fixedResponse{200, http.Header{"Content-Type": {"text/event-stream"}, "Cache-Control": {"no-cache"}, "X-Accel-Buffering": {"no"}}, endFrame}},
		"stream buffered":              {"POST", runPath, fixedResponse{200, http.Header{"Content-Type": {"text/event-stream"}, "Cache-Control": {"no-cache"}, "X-Run-Id": {someID}}, endFrame}},
	} {
		if failed := validate(t, c.method, c.path, c.answer); len(failed) == 0 {
			t.Errorf("%s: no violation was reported", name)
		}
	}
}

package harness

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// isAPI says that the server takes the request for one of its API, whether or
// not there is such an operation.
func isAPI(request *http.Request) bool { return strings.HasPrefix(request.URL.Path, "/api/v1/") }

// checkSecurityHeaders sees that no browser takes an answer for what it is not,
// shows it in a frame, or keeps what it should ask for again.
func (v *validator) checkSecurityHeaders(request *http.Request, response *http.Response) error {
	return errors.Join(
		checkHeader(response, "X-Content-Type-Options", "nosniff"),
		checkHeader(response, "Referrer-Policy", "no-referrer"),
		checkPolicy(request, response),
		v.checkKept(request, response),
	)
}

// checkHeader sees that a header says one of the words and nothing beside it: a
// value that only begins so may mean the opposite.
func checkHeader(response *http.Response, name string, words ...string) error {
	if got := strings.Join(response.Header.Values(name), ", "); !slices.Contains(words, got) {
		return fmt.Errorf("header %s is %q, not %q", name, got, words)
	}
	return nil
}

// checkPolicy: what the API answers loads nothing. A page says what it loads.
func checkPolicy(request *http.Request, response *http.Response) error {
	const name, nothing, frames = "Content-Security-Policy", "default-src 'none'; ", "frame-ancestors 'none'"
	if isAPI(request) {
		return checkHeader(response, name, nothing+frames, nothing+frames+"; sandbox") // The latter is a file's.
	}
	if got := response.Header.Get(name); !strings.HasPrefix(got, nothing) || !strings.Contains(got, frames) {
		return fmt.Errorf("header %s is %q", name, got)
	}
	return nil
}

// checkKept: an answer of the API is for its caller alone, and a page's file is
// asked for again each time. What a stream says, checkHead knows.
func (v *validator) checkKept(request *http.Request, response *http.Response) error {
	const name = "Cache-Control"
	isPage := v.contract.pathOf(request.URL) == "" &&
		(response.StatusCode == http.StatusOK || response.StatusCode == http.StatusNotModified)
	switch {
	case isStream(response):
		return nil
	case isAPI(request):
		return checkHeader(response, name, "no-store")
	case isPage:
		return checkHeader(response, name, "no-cache", "no-store") // The latter is the demo's token's.
	}
	return nil
}

package harness

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// isAPI reports whether the path is below the API's prefix, even if it is no
// operation.
func isAPI(request *http.Request) bool { return strings.HasPrefix(request.URL.Path, "/api/v1/") }

// checkSecurityHeaders checks that a browser does not guess the answer's type,
// show it in a frame, or cache what it should request again.
func (v *validator) checkSecurityHeaders(request *http.Request, response *http.Response) error {
	return errors.Join(
		checkHeader(response, "X-Content-Type-Options", "nosniff"),
		checkHeader(response, "Referrer-Policy", "no-referrer"),
		checkPolicy(request, response),
		v.checkCacheControl(request, response),
	)
}

// checkHeader checks that a header has exactly one of the values. A prefix is
// not enough: the rest of a value may reverse its meaning.
func checkHeader(response *http.Response, name string, words ...string) error {
	if got := strings.Join(response.Header.Values(name), ", "); !slices.Contains(words, got) {
		return fmt.Errorf("header %s is %q, not %q", name, got, words)
	}
	return nil
}

// checkPolicy checks that an answer of the API allows no loading and that a
// page lists what it loads.
func checkPolicy(request *http.Request, response *http.Response) error {
	const name, nothing, frames = "Content-Security-Policy", "default-src 'none'; ", "frame-ancestors 'none'"
	if isAPI(request) {
		return checkHeader(response, name, nothing+frames, nothing+frames+"; sandbox") // The second value is a file's.
	}
	if got := response.Header.Get(name); !strings.HasPrefix(got, nothing) || !strings.Contains(got, frames) {
		return fmt.Errorf("header %s is %q", name, got)
	}
	return nil
}

// checkCacheControl checks that an answer of the API may be cached by its caller only
// and that a browser revalidates a page's file each time. The headers of a
// stream are checked by checkHead.
func (v *validator) checkCacheControl(request *http.Request, response *http.Response) error {
	const name = "Cache-Control"
	isPage := v.contract.pathOf(request.URL) == "" &&
		(response.StatusCode == http.StatusOK || response.StatusCode == http.StatusNotModified)
	switch {
	case isStream(response):
		return nil
	case isAPI(request):
		return checkHeader(response, name, "no-store")
	case isPage:
		return checkHeader(response, name, "no-cache", "no-store") // The second value is that of the demo's token.
	}
	return nil
}

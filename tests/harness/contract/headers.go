package contract

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// isAPI reports whether the path is below the API's prefix.
func isAPI(request *http.Request) bool { return strings.HasPrefix(request.URL.Path, "/api/v1/") }

// checkSecurityHeaders checks that the headers keep a browser from guessing the
// type of the response, showing it in a frame, and caching it wrongly.
func (v *validator) checkSecurityHeaders(request *http.Request, response *http.Response) error {
	return errors.Join(
		checkHeader(response, "X-Content-Type-Options", "nosniff"),
		checkHeader(response, "Referrer-Policy", "no-referrer"),
		checkPolicy(request, response),
		v.checkCacheControl(request, response),
	)
}

// checkHeader checks that a header is exactly one of the values.
func checkHeader(response *http.Response, name string, values ...string) error {
	if got := strings.Join(response.Header.Values(name), ", "); !slices.Contains(values, got) {
		return fmt.Errorf("header %s is %q, not %q", name, got, values)
	}
	return nil
}

// checkPolicy checks the Content-Security-Policy. That of the API allows nothing;
// that of a page allows nothing by default.
func checkPolicy(request *http.Request, response *http.Response) error {
	const name, nothing, frames = "Content-Security-Policy", "default-src 'none'; ", "frame-ancestors 'none'"
	if isAPI(request) {
		return checkHeader(response, name, nothing+frames, nothing+frames+"; sandbox") // The second value is for files.
	}
	if got := response.Header.Get(name); !strings.HasPrefix(got, nothing) || !strings.Contains(got, frames) {
		return fmt.Errorf("header %s is %q", name, got)
	}
	return nil
}

// checkCacheControl checks that a response of the API is not cached and that a
// browser revalidates the files of a page. checkHead checks the headers of a
// stream.
func (v *validator) checkCacheControl(request *http.Request, response *http.Response) error {
	const name = "Cache-Control"
	isPage := v.spec.pathOf(request.URL) == "" &&
		(response.StatusCode == http.StatusOK || response.StatusCode == http.StatusNotModified)
	switch {
	case isStream(response):
		return nil
	case isAPI(request):
		return checkHeader(response, name, "no-store")
	case isPage:
		return checkHeader(response, name, "no-cache", "no-store") // The second value is for the demo's token.
	}
	return nil
}

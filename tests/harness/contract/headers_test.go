package contract

import (
	"net/http"
	"strings"
	"testing"
)

const filePath = "/api/v1/attachments/" + someID + "/content"

// sample is a request and its response.
type sample struct {
	method, path string
	answer       fixedResponse
}

// samples returns a correct response of each kind.
func samples() map[string]sample {
	return map[string]sample{
		"answer":  {"POST", sessionsPath, fixedResponse{200, jsonHead(), created}},
		"failure": {"POST", sessionsPath, fixedResponse{401, jsonHead("WWW-Authenticate", "Bearer"), refused}},
		"no path": {"GET", "/api/v1/nothing", fixedResponse{404, jsonHead(), `{"success":false,"error":{"code":"NOT_FOUND","message":"No."}}`}},
		"stream":  {"POST", runPath, fixedResponse{200, streamHead(), numbered(options + endFrame)}},
		"page":    {"GET", "/docs", fixedResponse{200, pageHead(), "<html>"}},
		"file": {"GET", filePath, fixedResponse{200, http.Header{
			"Content-Type": {"image/png"}, "Content-Disposition": {"inline; filename=red.png"},
			"Content-Security-Policy": {"default-src 'none'; frame-ancestors 'none'; sandbox"},
		}, "PNG"}},
	}
}

// TestWeakSecurityHeaders checks that a missing header and a weaker value are
// reported for each kind of response.
func TestWeakSecurityHeaders(t *testing.T) {
	t.Parallel()
	weak := map[string][]string{
		"X-Content-Type-Options":  {"", "sniff"},
		"Referrer-Policy":         {"", "no-referrer-when-downgrade"},
		"Content-Security-Policy": {"", "default-src *; frame-ancestors 'none'", "default-src 'none'; script-src 'self'"},
		"Cache-Control":           {"", "public, max-age=60"},
	}
	for kind, c := range samples() {
		if failed := validate(t, c.method, c.path, c.answer); len(failed) > 0 {
			t.Errorf("%s: %q", kind, failed)
		}
		for name, values := range weak {
			for _, value := range values {
				weakened := c.answer
				weakened.head = c.answer.head.Clone()
				weakened.head.Set(name, value)
				if failed := validate(t, c.method, c.path, weakened); !strings.Contains(strings.Join(failed, "\n"), name) {
					t.Errorf("%s: %s as %q was not reported: %q", kind, name, value, failed)
				}
			}
		}
	}
}

package harness

import (
	"net/http"
	"strings"
	"testing"
)

const filePath = "/api/v1/attachments/" + someID + "/content"

// sample is a request and its answer.
type sample struct {
	method, path string
	answer       answering
}

// samples returns one answer of each kind with correct headers.
func samples() map[string]sample {
	return map[string]sample{
		"answer":  {"POST", SessionsPath, answering{200, jsonHead(), created}},
		"failure": {"POST", SessionsPath, answering{401, jsonHead("WWW-Authenticate", "Bearer"), refused}},
		"no path": {"GET", "/api/v1/nothing", answering{404, jsonHead(), `{"success":false,"error":{"code":"NOT_FOUND","message":"No."}}`}},
		"stream":  {"POST", runPath, answering{200, streamHead(), options + endFrame}},
		"page":    {"GET", "/docs", answering{200, pageHead(), "<html>"}},
		"file": {"GET", filePath, answering{200, http.Header{
			"Content-Type": {"image/png"}, "Content-Disposition": {"inline; filename=red.png"},
			"Content-Security-Policy": {"default-src 'none'; frame-ancestors 'none'; sandbox"},
		}, "PNG"}},
	}
}

// TestSecurityHeadersAreChecked checks that a missing header and a weakened
// value are reported in each kind of answer.
func TestSecurityHeadersAreChecked(t *testing.T) {
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
				spoilt := c.answer
				spoilt.head = c.answer.head.Clone()
				spoilt.head.Set(name, value)
				if failed := validate(t, c.method, c.path, spoilt); !strings.Contains(strings.Join(failed, "\n"), name) {
					t.Errorf("%s: %s as %q was not found wrong: %q", kind, name, value, failed)
				}
			}
		}
	}
}

package openrouter_test

import (
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// TestNotAStream checks that the error of a response which is not a stream names its
// media type and the setting.
func TestNotAStream(t *testing.T) {
	t.Parallel()
	for body, kind := range map[string]string{
		"<!DOCTYPE html><title>Sign in zebra</title>":           "web page",
		"\n <?xml version=\"1.0\"?><zebra/>":                    "web page",
		`{"detail":"zebra"}`:                                    "JSON",
		"zebra, please log in":                                  "text/plain",
		"zebra\n\nplease\nlog in":                               "text/plain",
		"\x89PNG\x0D\x0A\x1A\x0A zebra":                         "image/png",
		"\x1f\x8b\x08 zebra":                                    "application/x-gzip",
		"\x00\x01\x02\x03 zebra " + strings.Repeat("\x00", 600): "application/octet-stream",
	} {
		result := answered(t, body)
		checkFailure(t, result.err, chat.UpstreamBroken, 0)
		if text := result.err.Error(); !result.refused || !strings.Contains(text, kind) || !strings.Contains(text, "OPENROUTER_BASE_URL") {
			t.Errorf("%.20q: %q does not name %s and the setting", body, text, kind)
		}
	}
}

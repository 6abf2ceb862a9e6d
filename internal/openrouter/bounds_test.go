package openrouter_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestLongDelta checks that a delta of some megabytes is read.
func TestLongDelta(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789abcdef", 3<<16)
	image := `data: {"choices":[{"index":0,"delta":{"content":"","images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,` +
		long + `"}}]}}]}` + "\n\n"
	text := `data: {"choices":[{"index":0,"delta":{"content":"` + long + `"}}]}` + "\n\n"
	server := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
		send(t, w, textEvent+image+textEvent+text+textEvent+stopEvent+doneEvent)
	})
	result := ask(t.Context(), t, client(t, server.URL))
	words := strings.Repeat("word ", 2)
	if result.err != nil || result.text != words+long+"word " {
		t.Errorf("%d characters, error %v", len(result.text), result.err)
	}
}

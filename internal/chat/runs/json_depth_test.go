package runs

import (
	"strings"
	"testing"
)

func TestTooDeep(t *testing.T) {
	t.Parallel()
	open, shut := strings.Repeat("[", maxDepth), strings.Repeat("]", maxDepth)
	for text, want := range map[string]bool{
		open + shut:                        false,
		"[" + open + shut + "]":            true,
		`{"a":` + open + shut + "}":        true,
		strings.Repeat("[],", 1000):        false,
		`"[` + open + `"`:                  false,
		`"\\"` + "[" + open:                true,
		`"\"` + open + `[" ` + open + shut: false,
		"[" + open:                         true,
		"":                                 false,
	} {
		if got := tooDeep([]byte(text)); got != want {
			t.Errorf("%q is too deep: %t", text, got)
		}
	}
}

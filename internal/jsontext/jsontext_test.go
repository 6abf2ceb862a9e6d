package jsontext_test

import (
	"encoding/json"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/jsontext"
)

// FuzzIsLiteral: a literal text is read back from its JSON string, and every
// text that encoding/json would not change is literal.
func FuzzIsLiteral(f *testing.F) {
	for _, seed := range []string{"", "hello", "a\"b", "a\\b", "a\nb", "a\x00b", "\x7f", "größe", "👋", "\xff", "\u2028", "<b>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		literal := jsontext.IsLiteral(text)
		var read string
		err := json.Unmarshal([]byte(`"`+text+`"`), &read)
		if literal && (err != nil || read != text) {
			t.Errorf("%q is literal, but JSON reads it as %q: %v", text, read, err)
		}
		written, err := json.Marshal(text)
		if !literal && err == nil && string(written) == `"`+text+`"` {
			t.Errorf("%q is not literal, but JSON writes it as it is", text)
		}
	})
}

package runs

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTitleFrom(t *testing.T) {
	t.Parallel()
	ninety := strings.Repeat("x", 90)
	for _, test := range []struct{ name, text, want string }{
		{"short", "What is a monad?", "What is a monad?"},
		{"white space is folded to one line", "  What\n\tis   this? ", "What is this?"},
		{"a hundred is kept", strings.Repeat("x", 100), strings.Repeat("x", 100)},
		{"cut on a word", ninety + " and more words", ninety + " and more"},
		{"a word that ends at the limit is kept", ninety + " 123456789 tail", ninety + " 123456789"},
		{"one long word is cut", strings.Repeat("x", 101), strings.Repeat("x", 100)},
		{"code points, not bytes", strings.Repeat("é", 100), strings.Repeat("é", 100)},
		{"an early space does not cut a long text", "See " + strings.Repeat("x", 200), "See " + strings.Repeat("x", 96)},
		{"a cluster of emoji stays whole", strings.Repeat("x", 96) + "👩‍👩‍👧‍👦 family", strings.Repeat("x", 96)},
		{"a cluster longer than a title", "e" + strings.Repeat("\u0301", 200), "e" + strings.Repeat("\u0301", 99)},
		{"control characters are white space", "one\u0000two\u0085three", "one two three"},
		{"no emoji is cut in half", strings.Repeat("🙂", 101), strings.Repeat("🙂", 100)},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := titleFrom(test.text)
			if got != test.want {
				t.Errorf("titleFrom(%q) = %q, want %q", test.text, got, test.want)
			}
			if utf8.RuneCountInString(got) > maxTitleChars {
				t.Errorf("the title has %d characters", utf8.RuneCountInString(got))
			}
		})
	}
}

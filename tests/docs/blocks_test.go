//go:build deploy

package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const repository = "../.."

// step is a command of a document and its output there.
type step struct {
	line    int
	command string
	want    string
}

// steps returns the commands of a document's blocks that are marked `console
// run`. With allMarked the test fails for a block of commands that is not
// marked.
func steps(t *testing.T, path string, allMarked bool) []step {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(repository, path)) //nolint:gosec // a document
	if err != nil {
		t.Fatal(err)
	}
	var found []step
	inside, marked, more := false, false, false
	n := 0
	for line := range strings.Lines(string(content)) {
		n++
		line = strings.TrimSuffix(line, "\n")
		info, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && !inside:
			inside, marked = true, info == "console run"
			if isShell := regexp.MustCompile(`^(console|sh|bash|shell)\b`).MatchString(info); allMarked && isShell && !marked {
				t.Errorf("%s:%d: the block of commands is not marked `console run`", path, n)
			}
		case fence:
			inside, marked, more = false, false, false
		case !marked:
		case more:
			last := &found[len(found)-1]
			last.command += "\n" + line
			more = strings.HasSuffix(line, `\`)
		case strings.HasPrefix(line, "$ "):
			found = append(found, step{line: n, command: line[2:]})
			more = strings.HasSuffix(line, `\`)
		case len(found) > 0:
			found[len(found)-1].want += line + "\n"
		}
	}
	return found
}

// What differs between two runs.
var (
	id      = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	moment  = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)
	varying = regexp.MustCompile(`\b[35]\.\d+\.\d+\b`) // SQLite's version
)

func mask(text string) string {
	text = id.ReplaceAllString(text, "ID")
	text = moment.ReplaceAllString(text, "TIME")
	text = varying.ReplaceAllString(text, "VERSION")
	return strings.TrimRight(text, "\n")
}

// matches reports whether a command printed what the document shows. `…` in the
// document matches any text.
func matches(want, got string) bool {
	pattern := regexp.QuoteMeta(mask(want))
	pattern = strings.ReplaceAll(pattern, "…", `[\s\S]*`)
	return regexp.MustCompile(`\A` + pattern + `\z`).MatchString(mask(got))
}

// TestMatchesFindsDifferences checks that the comparison finds differences.
func TestMatchesFindsDifferences(t *testing.T) {
	t.Parallel()
	for _, pair := range []struct {
		want, got string
		same      bool
	}{
		{"a\n", "a\n", true},
		{"a\n", "b\n", false},
		{"a…c\n", "a\nb\nc\n", true},
		{"a…c\n", "a\nb\n", false},
		{`{"id":"f63df2c5-8a01-49d3-a297-b1ba5f4a2f0c"}`, `{"id":"00000000-0000-4000-8000-000000000001"}`, true},
		{"", "surprise\n", false},
	} {
		if matches(pair.want, pair.got) != pair.same {
			t.Errorf("%q and %q: want %v", pair.want, pair.got, pair.same)
		}
	}
}

// learn maps the ids that the document shows to the ids of this run, so that
// the document's next commands use this run's.
func learn(known map[string]string, want, got string) {
	shown, here := id.FindAllString(want, -1), id.FindAllString(got, -1)
	for n := range min(len(shown), len(here)) {
		if _, ok := known[shown[n]]; !ok {
			known[shown[n]] = here[n]
		}
	}
}

func (s step) String() string { return fmt.Sprintf("line %d: %s", s.line, s.command) }

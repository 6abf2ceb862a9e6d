package config_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
)

// The README's table and .env.example say what the settings are; both have all
// of All, line for line, and nothing else.
func TestDocumentsFollowTheSettings(t *testing.T) {
	t.Parallel()
	var entries strings.Builder
	for _, setting := range config.All() {
		fmt.Fprintf(&entries, "\n# %s\n#%s=%s\n", setting.Meaning, setting.Name, setting.Default)
	}
	sameLines(t, "the README's table", rows(after(t, "../../README.md", "\n## Settings\n")), table(config.All()))
	sameLines(t, ".env.example", after(t, "../../.env.example", "a line without one has none.\n"), entries.String())
}

// docs/observing.md has OpenTelemetry's variables, which are not in the README.
func TestTracingIsDocumented(t *testing.T) {
	t.Parallel()
	sameLines(t, "the table of docs/observing.md",
		rows(after(t, "../../docs/observing.md", "\n## Traces\n")), table(config.TracingSettings()))
}

// table has the rows of a table of settings.
func table(settings []config.Setting) string {
	var text strings.Builder
	for _, setting := range settings {
		value := ""
		if setting.Default != "" {
			value = "`" + setting.Default + "`"
		}
		fmt.Fprintf(&text, "| `%s` | %s | %s |\n", setting.Name, value, setting.Meaning)
	}
	return text.String()
}

// rows are those of the first table in a text, without its head.
func rows(text string) string {
	var found []string
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, "|"):
			found = append(found, line)
		case len(found) > 0:
			return strings.Join(found[min(2, len(found)):], "")
		}
	}
	return ""
}

// sameLines tells the lines that one text has and the other has not.
func sameLines(t *testing.T, document, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	for line := range strings.Lines(want) {
		if !strings.Contains(got, line) {
			t.Errorf("%s lacks\n%s", document, line)
		}
	}
	for line := range strings.Lines(got) {
		if !strings.Contains(want, line) {
			t.Errorf("%s has, and no setting is so,\n%s", document, line)
		}
	}
	if !t.Failed() {
		t.Errorf("%s has the lines of the settings in another order, or one twice", document)
	}
}

// after is what follows the heading in a file.
func after(t *testing.T, path, heading string) string {
	t.Helper()
	_, rest, ok := strings.Cut(read(t, path), heading)
	if !ok {
		t.Fatalf("%s has no %q", path, heading)
	}
	return rest
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path) //nolint:gosec // the test names it
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

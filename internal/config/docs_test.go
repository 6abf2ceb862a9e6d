package config_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
)

// TestDocumentsFollowTheSettings checks that docs/settings.md and .env.example document
// exactly the settings that All returns.
func TestDocumentsFollowTheSettings(t *testing.T) {
	t.Parallel()
	var entries strings.Builder
	for _, setting := range config.All() {
		fmt.Fprintf(&entries, "\n# %s\n#%s=%s\n", setting.Meaning, setting.Name, setting.Default)
	}
	sameLines(t, "the table of docs/settings.md", rows(after(t, "../../docs/settings.md", "\n## All settings\n")), table(config.All()))
	sameLines(t, ".env.example", after(t, "../../.env.example", envExampleHead), entries.String())
}

// envExampleHead is the last line before the settings of .env.example.
const envExampleHead = "# An empty value means that there is no default.\n"

// TestTracingIsDocumented checks that docs/observing.md documents exactly OpenTelemetry's
// variables that TracingSettings returns.
func TestTracingIsDocumented(t *testing.T) {
	t.Parallel()
	sameLines(t, "the table of docs/observing.md",
		rows(after(t, "../../docs/observing.md", "\n## Traces\n")), table(config.TracingSettings()))
}

// table returns the rows of a table of settings.
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

// rows returns the rows of the first table in a text, without its head.
func rows(text string) string {
	var found []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "|") {
			found = append(found, line)
		} else if len(found) > 0 {
			break
		}
	}
	return strings.Join(found[min(2, len(found)):], "")
}

// sameLines reports the lines that one text has and the other lacks.
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
			t.Errorf("%s has a line of no setting:\n%s", document, line)
		}
	}
	if !t.Failed() {
		t.Errorf("%s has the lines of the settings in another order, or one twice", document)
	}
}

// after returns what follows the heading in a file.
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

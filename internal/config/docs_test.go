package config_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
)

// The README's table and .env.example say what the settings are; both follow
// All, line for line.
func TestDocumentsFollowTheSettings(t *testing.T) {
	t.Parallel()
	readme, example := read(t, "../../README.md"), read(t, "../../.env.example")
	for _, setting := range config.All() {
		value := ""
		if setting.Default != "" {
			value = "`" + setting.Default + "`"
		}
		row := fmt.Sprintf("| `%s` | %s | %s |\n", setting.Name, value, setting.Meaning)
		if !strings.Contains(readme, row) {
			t.Errorf("the README's table has no row\n%s", row)
		}
		entry := fmt.Sprintf("# %s\n#%s=%s\n", setting.Meaning, setting.Name, setting.Default)
		if !strings.Contains(example, entry) {
			t.Errorf(".env.example has no lines\n%s", entry)
		}
	}
}

// docs/observing.md has OpenTelemetry's variables, which are not in the README.
func TestTracingIsDocumented(t *testing.T) {
	t.Parallel()
	document := read(t, "../../docs/observing.md")
	for _, setting := range config.TracingSettings() {
		value := ""
		if setting.Default != "" {
			value = "`" + setting.Default + "`"
		}
		row := fmt.Sprintf("| `%s` | %s | %s |\n", setting.Name, value, setting.Meaning)
		if !strings.Contains(document, row) {
			t.Errorf("docs/observing.md has no row\n%s", row)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path) //nolint:gosec // the test names it
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

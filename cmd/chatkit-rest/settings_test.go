package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
)

// logged returns what a logger with these settings writes for an info line and a
// warning.
func logged(t *testing.T, env map[string]string) string {
	t.Helper()
	p := process{getenv: func(name string) string { return env[name] }, environ: func() []string { return nil }}
	settings, err := loadSettings(p, config.Options{Only: []string{"LOG_LEVEL", "LOG_FORMAT"}})
	if err != nil {
		t.Fatal(err)
	}
	var output bytes.Buffer
	logger := newLogger(&output, settings)
	logger.InfoContext(t.Context(), "by the way")
	logger.WarnContext(t.Context(), "look out")
	return output.String()
}

func TestLogFormat(t *testing.T) {
	t.Parallel()
	for format, wantJSON := range map[string]bool{"text": false, "json": true, "JSON": true, "": true} {
		output := logged(t, map[string]string{"LOG_FORMAT": format})
		if lines := strings.Count(output, "\n"); lines != 2 {
			t.Errorf("LOG_FORMAT=%q: %d lines, want 2:\n%s", format, lines, output)
		}
		for line := range strings.Lines(output) {
			isText := strings.Contains(line, " level=") && strings.Contains(line, " msg=")
			if json.Valid([]byte(line)) != wantJSON || isText == wantJSON {
				t.Errorf("LOG_FORMAT=%q gives %s", format, line)
			}
		}
	}
}

func TestLogLevel(t *testing.T) {
	t.Parallel()
	for level, want := range map[string]bool{"": true, "debug": true, "info": true, "warn": false, "error": false} {
		output := logged(t, map[string]string{"LOG_LEVEL": level})
		if strings.Contains(output, "by the way") != want {
			t.Errorf("LOG_LEVEL=%q: the info line is there: %t\n%s", level, !want, output)
		}
		if strings.Contains(output, "look out") != (level != "error") {
			t.Errorf("LOG_LEVEL=%q: the warning is there: %t\n%s", level, level == "error", output)
		}
	}
}

// TestFileIsNoTerminal: a log in a file is for a program, so its format is JSON.
func TestFileIsNoTerminal(t *testing.T) {
	t.Parallel()
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	if isTerminal(file) || isTerminal(new(bytes.Buffer)) {
		t.Error("a file or a buffer is considered a terminal")
	}
}

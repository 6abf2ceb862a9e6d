package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
)

func dotenv(t *testing.T, content string) string {
	t.Helper()

	path := filepath.Join(t.TempDir(), ".env")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatalf("write: %v", err)
	}

	return path
}

func TestDotenv(t *testing.T) {
	t.Parallel()

	path := dotenv(t, "\ufeffPORT=9000\r\n# a comment\nexport HOST=0.0.0.0\nLOG_LEVEL=debug # loud\n"+
		"JWT_SECRET='with $dollar and # sign'\nSYSTEM_PROMPT=\"two\\nlines\"\nLOG_FORMAT=\n")
	environment := env{"PORT": "7000", "HOST": ""}

	getenv, names, err := config.Getenv(path, environment.get)
	if err != nil {
		t.Fatalf("Getenv: %v", err)
	}

	want := env{
		"PORT": "7000", "HOST": "0.0.0.0", "LOG_LEVEL": "debug", "JWT_SECRET": "with $dollar and # sign",
		"SYSTEM_PROMPT": "two\nlines", "LOG_FORMAT": "", "DATABASE_URL": "",
	}
	for name, value := range want {
		if got := getenv(name); got != value {
			t.Errorf("%s: got %q, want %q", name, got, value)
		}
	}

	slices.Sort(names)
	if want := []string{"HOST", "JWT_SECRET", "LOG_FORMAT", "LOG_LEVEL", "PORT", "SYSTEM_PROMPT"}; !slices.Equal(names, want) {
		t.Errorf("the names are %q, want %q", names, want)
	}

	if value, ok := os.LookupEnv("JWT_SECRET"); ok && strings.Contains(value, "dollar") {
		t.Error("the file was written into the process's environment")
	}
}

func TestMissingDotenv(t *testing.T) {
	t.Parallel()

	getenv, _, err := config.Getenv(filepath.Join(t.TempDir(), ".env"), env{"PORT": "7000"}.get)
	if err != nil || getenv("PORT") != "7000" {
		t.Errorf("got %v", err)
	}
}

func TestBadDotenv(t *testing.T) {
	t.Parallel()

	tests := map[string]string{
		"PORT=1\nOPENROUTER_API_KEY sk-hunter2\nHOST=x\n":         "line 2",
		"PORT=1\n\nJWT_SECRET=\"hunter2 without an end\nHOST=x\n": "line 3",
		"hunter2\n": "line 1",
	}
	for content, line := range tests {
		path := dotenv(t, content)

		_, _, err := config.Getenv(path, env{}.get)
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), line+" ") {
			t.Errorf("%q gave %v, want the file and %s", content, err, line)
		}

		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows the file's content: %v", err)
		}
	}

	if _, _, err := config.Getenv(dotenv(t, strings.Repeat("#\n", 40_000)), env{}.get); err == nil {
		t.Error("a file of 80 kB was read")
	}

	if _, _, err := config.Getenv(t.TempDir(), env{}.get); err == nil {
		t.Error("a folder was read")
	}
}

//go:build deploy

package deploy_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

const (
	// patience is how long a test waits for an expected event.
	patience = 60 * time.Second
	// repository is the path of the repository from this folder.
	repository = "../.."
	// jwtSecret signs the tests' tokens.
	jwtSecret = "kq3Wm8ZtYv1xRb6NcP0sLd9FgHj2TuAe"
)

// shared is the folder of this test process. Other users can read it.
var shared string

func TestMain(m *testing.M) {
	if os.Geteuid() != 0 {
		fmt.Fprintln(os.Stderr, "these tests run programs as the image's user; run them as root")
		os.Exit(1)
	}
	folder, err := os.MkdirTemp("", "chatkit-rest-deploy-")
	if err == nil {
		err = os.Chmod(folder, 0o755) //nolint:gosec // the image's user reads it
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	shared = folder
	code := harness.Main(m)
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

// inRepository returns the absolute path of a file of the repository.
func inRepository(t *testing.T, path string) string {
	t.Helper()
	absolute, err := filepath.Abs(filepath.Join(repository, path))
	if err != nil {
		t.Fatal(err)
	}
	return absolute
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(inRepository(t, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// output runs a program in a folder and returns its output.
func output(t *testing.T, folder string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...) //nolint:gosec // the tests' own words
	cmd.Dir, cmd.Env = folder, append(os.Environ(), env...)
	text, err := cmd.Output()
	if err != nil {
		var stderr []byte
		if exit, ok := err.(*exec.ExitError); ok { //nolint:errorlint // Output returns it bare
			stderr = exit.Stderr
		}
		t.Fatalf("%s %v: %v\n%s%s", name, args, err, text, stderr)
	}
	return string(text)
}

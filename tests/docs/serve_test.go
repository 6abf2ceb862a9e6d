//go:build deploy

package docs_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// sources copies the sources of the program, uncommitted changes included, and
// the files that the README's commands use.
func sources(t *testing.T) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--",
		"Makefile", ".env.example", "go.mod", "go.sum", "cmd", "gen", "internal")
	cmd.Dir = repository
	list, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for name := range strings.SplitSeq(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		content, err := os.ReadFile(filepath.Join(repository, name)) //nolint:gosec // the repository's own
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted, and not yet committed
		}
		if err == nil {
			err = os.MkdirAll(filepath.Dir(filepath.Join(folder, name)), 0o700)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), content, 0o600) //nolint:gosec // below a folder of the test's
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// isServe matches a command that runs until it is stopped. A reader runs it in
// a second terminal.
var isServe = regexp.MustCompile(`(\bchatkit-rest serve( --\w+)*|^make run)$`)

// serve starts the document's server in the background on a free port and waits
// until it is ready. It stops an earlier one first.
func (s *shell) serve(command string) {
	s.t.Helper()
	s.stop()
	port := harness.FreePort(s.t)
	s.output = filepath.Join(s.t.TempDir(), "output")
	s.server = fmt.Sprintf("http://127.0.0.1:%d", port)
	s.replace[documentedURL] = s.server
	s.byMake = strings.HasPrefix(command, "make ")
	if got, code := s.enter(fmt.Sprintf("PORT=%d %s >%s 2>&1 & server=$!", port, command, s.output)); code != 0 || got != "" {
		s.t.Fatalf("%s: exit code %d\n%s", command, code, got)
	}
	s.ask("/readyz", http.StatusOK)
}

// ask waits until the server that serve started answers with the status.
func (s *shell) ask(path string, status int) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		response, err := http.Get(s.server + path)
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == status {
				return
			}
		}
		if _, code := s.enter("kill -0 $server"); code != 0 || time.Now().After(deadline) {
			output, _ := os.ReadFile(s.output)
			s.t.Fatalf("%s does not answer with %d (%v):\n%s", path, status, err, output)
		}
	}
}

// stop ends the server that serve started, if there is one.
func (s *shell) stop() {
	s.t.Helper()
	if s.server == "" {
		return
	}
	s.server = ""
	if got, code := s.enter("kill $server && wait $server"); code != 0 && !s.byMake { // make reports a signal as an error
		s.t.Errorf("the server ended with %d\n%s", code, got)
	}
}

//go:build deploy

package docs_test

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

// patience is how long a command may take.
const patience = 2 * time.Minute

// TestAPI types the API guide against the demo.
func TestAPI(t *testing.T) {
	t.Parallel()
	server := demo(t, map[string]string{"RATE_LIMIT_PER_MINUTE": "30"})
	run(t, "docs/api.md", true, newShell(t, t.TempDir(), server, nil))
}

// TestAttachments types the guide to files against a demo that takes them.
func TestAttachments(t *testing.T) {
	t.Parallel()
	server := demo(t, map[string]string{"ATTACHMENTS_URL": "file:///data/attachments"})
	run(t, "docs/attachments.md", true, newShell(t, t.TempDir(), server, nil))
}

// TestREADME types the README's first session, with `make token`, against
// the demo.
func TestREADME(t *testing.T) {
	t.Parallel()
	folder, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	run(t, "README.md", false, newShell(t, folder, demo(t, nil), nil))
}

// TestOperating types the operator's guide, its databases being the tests'.
func TestOperating(t *testing.T) {
	t.Parallel()
	upstream := harness.NewUpstream(t)
	upstream.ListModels("openai/gpt-4.1-mini", "maker/other")
	server := harness.Start(t, harness.Options{
		Database: harness.SQLite, Upstream: upstream, Env: map[string]string{"RATE_LIMIT_PER_MINUTE": "30"},
	})
	server.User(t).CreateSession()
	run(t, "docs/operating.md", true, newShell(t, t.TempDir(), server, map[string]string{
		"postgresql://chatkit:PASSWORD@127.0.0.1:5432/chatkit": harness.NewDatabase(t, harness.Postgres),
		"/var/lib/chatkit-rest/chatkit.db":                     strings.TrimPrefix(server.DatabaseURL, "sqlite:///"),
	}))
}

// TestOthers: the documents without commands have none.
func TestOthers(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"docs/architecture.md", "docs/security.md", "docs/performance.md", "deploy/README.md"} {
		if found := steps(t, path, true); len(found) > 0 {
			t.Errorf("%s has commands that no test runs: %v", path, found)
		}
	}
}

// TestLinks: what the documents point at is there.
func TestLinks(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	for _, pattern := range []string{"README.md", "docs/*.md", "deploy/*.md"} {
		paths, err := filepath.Glob(filepath.Join(repository, pattern))
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, path := range paths {
			content, err := os.ReadFile(path) //nolint:gosec // a document
			if err != nil {
				t.Fatal(err)
			}
			for _, match := range link.FindAllStringSubmatch(string(content), -1) {
				if _, err := os.Stat(filepath.Join(filepath.Dir(path), match[1])); err != nil { //nolint:gosec // a document
					t.Errorf("%s points at %s: %v", path, match[1], err)
				}
			}
		}
	}
}

func demo(t *testing.T, env map[string]string) *harness.Server {
	t.Helper()
	return harness.Start(t, harness.Options{Database: harness.SQLite, Env: env, Args: []string{"--demo", "--migrate"}})
}

// run types a document's commands into one shell and compares.
func run(t *testing.T, path string, allMarked bool, shell *shell) {
	t.Helper()
	list := steps(t, path, allMarked)
	if len(list) == 0 {
		t.Fatalf("%s has no commands to run", path)
	}
	for _, s := range list {
		got, code := shell.enter(s.command)
		if code != 0 {
			t.Errorf("%s, %s: exit code %d\n%s", path, s, code, got)
		}
		if !matches(s.want, got) {
			t.Errorf("%s, %s\nprints\n%s\nthe document says\n%s", path, s, got, s.want)
		}
		learn(shell.replace, s.want, got)
	}
}

// shell is a bash that a document is typed into.
type shell struct {
	t       *testing.T
	replace map[string]string // what stands in a document, by what it is here
	in      io.Writer
	out     *bufio.Reader
}

const mark = "--- that was all:"

// newShell has the program in its path and the server's settings around it.
func newShell(t *testing.T, folder string, server *harness.Server, replace map[string]string) *shell {
	t.Helper()
	s := &shell{t: t, replace: map[string]string{"http://127.0.0.1:8080": server.URL}}
	maps.Copy(s.replace, replace)
	settings := harness.Settings(server.DatabaseURL, server.Secret, server.Upstream)
	settings["PORT"] = server.URL[strings.LastIndex(server.URL, ":")+1:]
	settings["RATE_LIMIT_PER_MINUTE"] = "30"
	settings["LOG_LEVEL"] = "warn"
	settings["PATH"] = filepath.Dir(harness.Binary(t)) + ":" + os.Getenv("PATH")
	cmd := exec.CommandContext(t.Context(), "bash")
	cmd.Dir, cmd.Env = folder, os.Environ()
	for name, value := range settings {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = writer, writer
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = writer.Close()
	s.in, s.out = in, bufio.NewReader(out)
	timer := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	t.Cleanup(func() {
		timer.Stop()
		_ = in.Close()
		_ = cmd.Wait()
		_ = out.Close()
	})
	return s
}

// enter types a command and returns what it printed and its exit code.
func (s *shell) enter(command string) (printed string, code int) {
	s.t.Helper()
	for from, to := range s.replace {
		command = strings.ReplaceAll(command, from, to)
	}
	if _, err := fmt.Fprintf(s.in, "%s\nprintf '\\n%s %%d\\n' $?\n", command, mark); err != nil {
		s.t.Fatalf("type %q: %v", command, err)
	}
	var text strings.Builder
	for {
		line, err := s.out.ReadString('\n')
		if err != nil {
			s.t.Fatalf("after %q the shell ended: %v\n%s", command, err, text.String())
		}
		if _, err := fmt.Sscanf(line, mark+" %d", &code); err == nil {
			return strings.TrimSuffix(text.String(), "\n"), code
		}
		text.WriteString(line)
	}
}

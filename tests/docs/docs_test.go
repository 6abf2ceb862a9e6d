//go:build deploy

package docs_test

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

// patience is how long a command may take.
const patience = 2 * time.Minute

// TestAPI types the API guide against the demo.
func TestAPI(t *testing.T) {
	t.Parallel()
	server := demo(t, map[string]string{"RATE_LIMIT_PER_MINUTE": "30"})
	run(t, "docs/api.md", true, newShell(t, t.TempDir(), at(server), nil))
}

// TestAttachments types the guide to files against a demo that takes them.
func TestAttachments(t *testing.T) {
	t.Parallel()
	server := demo(t, map[string]string{"ATTACHMENTS_URL": "file:///data/attachments"})
	run(t, "docs/attachments.md", true, newShell(t, t.TempDir(), at(server), nil))
}

// TestREADME types the README into a copy of the repository: `make run`, which
// is the demo there, and what it says from there on. The database and the
// model, where they are asked for, are the tests'.
func TestREADME(t *testing.T) {
	t.Parallel()
	upstream := harness.NewUpstream(t)
	shell := newShell(t, sources(t), map[string]string{"OPENROUTER_BASE_URL": upstream.URL}, map[string]string{
		"postgresql://chatkit:PASSWORD@127.0.0.1:5432/chatkit": harness.NewDatabase(t, harness.Postgres),
		"sk-or-…": upstream.Key, "0.0.0.0": "127.0.0.1",
	})
	shell.serve("make run")
	run(t, "README.md", false, shell)
	shell.stop()
}

// TestOperating types the operator's guide, its databases being the tests'.
func TestOperating(t *testing.T) {
	t.Parallel()
	upstream := harness.NewUpstream(t)
	upstream.ListModels("~openai/gpt-mini-latest", "maker/other")
	server := harness.Start(t, harness.Options{
		Database: harness.SQLite, Upstream: upstream, Env: map[string]string{"RATE_LIMIT_PER_MINUTE": "30"},
	})
	server.User(t).CreateSession()
	run(t, "docs/operating.md", true, newShell(t, t.TempDir(), at(server), map[string]string{
		"postgresql://chatkit:PASSWORD@127.0.0.1:5432/chatkit": harness.NewDatabase(t, harness.Postgres),
		"/var/lib/chatkit-rest/chatkit.db":                     strings.TrimPrefix(server.DatabaseURL, "sqlite:///"),
	}))
}

// TestObserving types the guide to watching, and sees that the collector it
// names gets the traces.
func TestObserving(t *testing.T) {
	t.Parallel()
	paths := make(chan string, 100)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { paths <- r.URL.Path }))
	t.Cleanup(collector.Close)
	settings := harness.Settings(harness.NewDatabase(t, harness.SQLite), rand.Text()+rand.Text(), harness.NewUpstream(t))
	shell := newShell(t, t.TempDir(), settings, map[string]string{
		"127.0.0.1:9090":        fmt.Sprintf("127.0.0.1:%d", harness.FreePort(t)),
		"http://127.0.0.1:4318": collector.URL,
	})
	run(t, "docs/observing.md", true, shell)
	shell.ask("/api/v1/chatkit/sessions", http.StatusUnauthorized)
	shell.stop()
	close(paths)
	if path := <-paths; path != "/v1/traces" {
		t.Errorf("the collector was asked for %q", path)
	}
}

// TestEveryDocument is looked at by one of the tests here or, the clients', by
// make test-clients, and that of tools by tests/tools.
func TestEveryDocument(t *testing.T) {
	t.Parallel()
	known := append([]string{
		"README.md", "docs/api.md", "docs/attachments.md", "docs/chatkit-js.md", "docs/clients.md", "docs/observing.md",
		"docs/operating.md", "docs/tools.md",
	}, without...)
	for _, pattern := range []string{"*.md", "docs/*.md", "deploy/*.md"} {
		paths, err := filepath.Glob(filepath.Join(repository, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if name := filepath.ToSlash(path[len(repository)+1:]); !slices.Contains(known, name) {
				t.Errorf("no test looks at %s", name)
			}
		}
	}
}

// without are the documents without commands.
var without = []string{
	"docs/architecture.md", "docs/development.md", "docs/performance.md", "docs/security.md", "docs/settings.md", "deploy/README.md",
}

// TestOthers: the documents without commands have none.
func TestOthers(t *testing.T) {
	t.Parallel()
	for _, path := range without {
		if found := steps(t, path, true); len(found) > 0 {
			t.Errorf("%s has commands that no test runs: %v", path, found)
		}
	}
}

// TestLinks: what the documents point at is there.
func TestLinks(t *testing.T) {
	t.Parallel()
	code := regexp.MustCompile("(?ms)^```.*?^```")
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
			for _, match := range link.FindAllStringSubmatch(code.ReplaceAllString(string(content), ""), -1) {
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
		if isServe.MatchString(s.command) {
			shell.serve(s.command)
			continue
		}
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
	// server is where the one listens that serve started, output where it
	// writes; empty: there is none.
	server, output string
	byMake         bool
}

// aServer is where the server is in the documents.
const aServer = "http://127.0.0.1:8080"

const mark = "--- that was all:"

// at are the settings of a server that runs.
func at(server *harness.Server) map[string]string {
	settings := harness.Settings(server.DatabaseURL, server.Secret, server.Upstream)
	settings["PORT"] = server.URL[strings.LastIndex(server.URL, ":")+1:]
	return settings
}

// surroundings is the environment without settings of the program, and without
// what a make around the tests says to one inside.
func surroundings() []string {
	return slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		isSetting := slices.ContainsFunc(config.All(), func(setting config.Setting) bool { return setting.Name == name })
		return isSetting || strings.HasPrefix(name, "OTEL_") || strings.HasPrefix(name, "MAKE") || name == "MFLAGS"
	})
}

// newShell has the program in its path and the settings around it.
func newShell(t *testing.T, folder string, settings, replace map[string]string) *shell {
	t.Helper()
	s := &shell{t: t, replace: map[string]string{aServer: "http://127.0.0.1:" + settings["PORT"]}}
	maps.Copy(s.replace, replace)
	settings["RATE_LIMIT_PER_MINUTE"] = "30"
	settings["LOG_LEVEL"] = "warn"
	settings["PATH"] = filepath.Dir(harness.Binary(t)) + ":" + os.Getenv("PATH")
	cmd := exec.CommandContext(t.Context(), "bash")
	cmd.Dir, cmd.Env = folder, surroundings()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
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
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // a server that a failed test left
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

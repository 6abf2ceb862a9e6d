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

// TestAPI runs the commands of the API guide with the demo.
func TestAPI(t *testing.T) {
	t.Parallel()
	server := demo(t, map[string]string{"RATE_LIMIT_PER_MINUTE": "30"})
	run(t, "docs/api.md", true, newShell(t, t.TempDir(), settingsOf(server), nil))
}

// TestAttachments runs the commands of the attachments guide with a demo that
// accepts files.
func TestAttachments(t *testing.T) {
	t.Parallel()
	server := demo(t, map[string]string{"ATTACHMENTS_URL": "file:///data/attachments"})
	run(t, "docs/attachments.md", true, newShell(t, t.TempDir(), settingsOf(server), nil))
}

// TestREADME runs the commands of the README in a copy of the repository,
// beginning with `make run`, which starts the demo. The database and the model
// are the test's.
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

// TestOperating runs the commands of the operator's guide with databases of the
// test.
func TestOperating(t *testing.T) {
	t.Parallel()
	upstream := harness.NewUpstream(t)
	upstream.ListModels("~openai/gpt-mini-latest", "maker/other")
	server := harness.Start(t, harness.Options{
		Database: harness.SQLite, Upstream: upstream, Env: map[string]string{"RATE_LIMIT_PER_MINUTE": "30"},
	})
	server.User(t).CreateSession()
	run(t, "docs/operating.md", true, newShell(t, t.TempDir(), settingsOf(server), map[string]string{
		"postgresql://chatkit:PASSWORD@127.0.0.1:5432/chatkit": harness.NewDatabase(t, harness.Postgres),
		"/var/lib/chatkit-rest/chatkit.db":                     strings.TrimPrefix(server.DatabaseURL, "sqlite:///"),
	}))
}

// TestObserving runs the commands of the observability guide and checks that
// the collector in it gets traces.
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

// TestEveryDocument checks that the commands of every document are run: by a
// test here, for the clients by make test-clients, for tools by tests/tools.
func TestEveryDocument(t *testing.T) {
	t.Parallel()
	known := append([]string{
		"README.md", "docs/api.md", "docs/attachments.md", "docs/chatkit-js.md", "docs/clients.md", "docs/observing.md",
		"docs/operating.md", "docs/tools.md",
	}, withoutCommands...)
	for _, pattern := range []string{"*.md", "docs/*.md", "deploy/*.md"} {
		paths, err := filepath.Glob(filepath.Join(repository, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if name := filepath.ToSlash(path[len(repository)+1:]); !slices.Contains(known, name) {
				t.Errorf("no test runs the commands of %s", name)
			}
		}
	}
}

// withoutCommands lists the documents that have no commands.
var withoutCommands = []string{
	"docs/architecture.md", "docs/development.md", "docs/performance.md", "docs/security.md", "docs/settings.md", "deploy/README.md",
}

// TestDocumentsWithoutCommands checks that the documents without commands have none.
func TestDocumentsWithoutCommands(t *testing.T) {
	t.Parallel()
	for _, path := range withoutCommands {
		if found := steps(t, path, true); len(found) > 0 {
			t.Errorf("%s has commands that no test runs: %v", path, found)
		}
	}
}

// TestLinks checks that the targets of the documents' links exist.
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
					t.Errorf("%s links to %s: %v", path, match[1], err)
				}
			}
		}
	}
}

func demo(t *testing.T, env map[string]string) *harness.Server {
	t.Helper()
	return harness.Start(t, harness.Options{Database: harness.SQLite, Env: env, Args: []string{"--demo", "--migrate"}})
}

// run runs a document's commands in one shell and compares their output.
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

// shell is a bash that runs the commands of a document.
type shell struct {
	t       *testing.T
	replace map[string]string // texts of a document and their replacements here
	in      io.Writer
	out     *bufio.Reader
	// server is the URL of the server that serve started, output the file of
	// its output; both are empty if there is none.
	server, output string
	byMake         bool
}

// documentedURL is the server's URL in the documents.
const documentedURL = "http://127.0.0.1:8080"

const mark = "--- that was all:"

// settingsOf returns the settings of a running server.
func settingsOf(server *harness.Server) map[string]string {
	settings := harness.Settings(server.DatabaseURL, server.Secret, server.Upstream)
	settings["PORT"] = server.URL[strings.LastIndex(server.URL, ":")+1:]
	return settings
}

// environment returns the environment without the program's settings and
// without the variables of a make that runs the tests.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		isSetting := slices.ContainsFunc(config.All(), func(setting config.Setting) bool { return setting.Name == name })
		return isSetting || strings.HasPrefix(name, "OTEL_") || strings.HasPrefix(name, "MAKE") || name == "MFLAGS"
	})
}

// newShell starts a shell with the program in its PATH and the settings in its
// environment.
func newShell(t *testing.T, folder string, settings, replace map[string]string) *shell {
	t.Helper()
	s := &shell{t: t, replace: map[string]string{documentedURL: "http://127.0.0.1:" + settings["PORT"]}}
	maps.Copy(s.replace, replace)
	settings["RATE_LIMIT_PER_MINUTE"] = "30"
	settings["LOG_LEVEL"] = "warn"
	settings["PATH"] = filepath.Dir(harness.Binary(t)) + ":" + os.Getenv("PATH")
	cmd := exec.CommandContext(t.Context(), "bash")
	cmd.Dir, cmd.Env = folder, environment()
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
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // a server that a failed test did not stop
		_ = out.Close()
	})
	return s
}

// enter runs a command and returns its output and its exit code.
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

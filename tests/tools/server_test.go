package tools_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
	"github.com/chatkit-rest/chatkit-rest/tests/tasks"
)

// file writes a file for MCP_SERVERS and returns its path.
func file(tb testing.TB, content string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "mcp.json")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// command writes a file that has the tasks server as a command.
func command(tb testing.TB, args ...string) string {
	tb.Helper()
	quoted, err := json.Marshal(args)
	if err != nil {
		tb.Fatal(err)
	}
	return file(tb, fmt.Sprintf(`{"mcpServers": {"tasks": {"command": %q, "args": %s, "env": {"TASKS_TOKEN": "${TASKS_KEY}"}}}}`,
		tasks.Binary(tb), quoted))
}

const key = "hunter2-hunter2"

func start(tb testing.TB, path string) *harness.Server {
	tb.Helper()
	return harness.Start(tb, harness.Options{
		Database: harness.SQLite, Env: map[string]string{"MCP_SERVERS": path, "TASKS_KEY": key},
	})
}

// children returns the running processes that a process has started.
func children(tb testing.TB, parent int) []int {
	tb.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		tb.Fatal(err)
	}
	var found []int
	for _, path := range paths {
		content, err := os.ReadFile(path) //nolint:gosec // the kernel's
		if err != nil {
			continue // It has ended.
		}
		_, after, _ := strings.Cut(string(content), ") ")
		if fields := strings.Fields(after); fields[1] == strconv.Itoa(parent) {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			if err != nil {
				tb.Fatal(err)
			}
			found = append(found, pid)
		}
	}
	return found
}

func wantGone(tb testing.TB, pid int) {
	tb.Helper()
	until(tb, "the command's process is gone", func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) })
}

// TestStartAndStop: a command runs with the server, and no process is left
// when the server stops, or is killed.
func TestStartAndStop(t *testing.T) {
	t.Parallel()
	s := start(t, command(t, "-stubborn"))
	until(t, "the command is connected", func() bool { return strings.Contains(s.Log(), "a tool server is connected") })
	child := children(t, s.PID())
	if len(child) != 1 {
		t.Fatalf("the server has the children %v, want one", child)
	}
	if code := s.Stop(); code != 0 {
		t.Errorf("the exit code is %d", code)
	}
	wantGone(t, child[0])

	s.Restart()
	until(t, "the command is connected again", func() bool { return len(children(t, s.PID())) == 1 })
	child = children(t, s.PID())
	s.Kill()
	wantGone(t, child[0])
	if strings.Contains(s.Log(), key) || !strings.Contains(s.Log(), "the token is [hidden]") {
		t.Error("the log has the secret, or not its place")
	}
}

// TestStartWaitsForNoServer: a tool server that does not answer, or that does not
// exist, neither delays nor prevents a start.
func TestStartWaitsForNoServer(t *testing.T) {
	t.Parallel()
	s := start(t, command(t, "-mute"))
	if strings.Contains(s.Log(), "did not answer") {
		t.Error("the start waited for the mute server")
	}
	start(t, file(t, `{"mcpServers": {"gone": {"command": "no-such-program"}, "away": {"url": "http://127.0.0.1:1/mcp"}}}`))
}

// TestVerifyEnv: the report has a line for each server and no secret.
func TestVerifyEnv(t *testing.T) {
	t.Parallel()
	remote := tasks.NewUnstarted(t)
	upstream := harness.NewUpstream(t)
	env := harness.Settings(harness.NewDatabase(t, harness.SQLite), "kq3Wm8ZtYv1xRb6NcP0sLd9FgHj2TuAe", upstream)
	maps.Copy(env, map[string]string{"TASKS_KEY": remote.Token, "MCP_SERVERS": file(t, fmt.Sprintf(`{"mcpServers": {
		"local": {"command": %q, "allowedTools": ["add_task", "list_tasks"]},
		"remote": {"url": "%s?key=hunter2", "headers": {"Authorization": "Bearer ${TASKS_KEY}"}, "allowedTools": ["fly"]},
		"broken": {"command": "sh", "args": ["-c", "echo out of milk >&2; exit 1"]}}}`, tasks.Binary(t), remote.URL))})
	report := func(code int, lines ...string) {
		t.Helper()
		result := harness.Execute(t, env, "verify-env")
		for _, line := range lines {
			if !regexp.MustCompile(`(?m)^` + line + `$`).MatchString(result.Stdout) {
				t.Errorf("the report has no line %q:\n%s", line, result.Output())
			}
		}
		if result.ExitCode != code || strings.Contains(result.Output(), "hunter2") || strings.Contains(result.Output(), remote.Token) {
			t.Errorf("exit code %d, want %d, and no secret:\n%s", result.ExitCode, code, result.Output())
		}
	}
	report(1, `tools +ok +local: 2 tools`, `tools +FAILED +MCP_SERVERS: server broken: .*out of milk`,
		`tools +FAILED +MCP_SERVERS: server remote: .*refused`, `result +FAILED +tools, tools`)
	remote.Start()
	report(1, `tools +unsure +remote: 0 tools; .*fly`)
}

// TestDocument: the example in docs/tools.md is valid, and verify-env prints what
// the document shows.
func TestDocument(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../../docs/tools.md")
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string) string {
		_, after, _ := strings.Cut(string(content), "```"+kind+"\n")
		text, _, ok := strings.Cut(after, "```")
		if !ok {
			t.Fatalf("the document has no %s", kind)
		}
		return text
	}
	remote := tasks.Serve(t)
	env := map[string]string{
		"MCP_SERVERS": file(t, block("json")), "TASKS_URL": remote.URL, "TASKS_TOKEN": remote.Token,
		"PATH": everything(t) + string(os.PathListSeparator) + os.Getenv("PATH"),
	}
	s := harness.Start(t, harness.Options{Database: harness.SQLite, Env: env})
	until(t, "both servers are connected", func() bool { return strings.Count(s.Log(), "a tool server is connected") == 2 })
	settings := harness.Settings(s.DatabaseURL, s.Secret, s.Upstream)
	maps.Copy(settings, env)
	if result := harness.Execute(t, settings, "verify-env"); !strings.Contains(result.Stdout, block("text")) {
		t.Errorf("the report has no\n%s\n%s", block("text"), result.Output())
	}
}

// TestFaults: a start with a faulty file fails with the server and the field, and
// shows no values of the file.
func TestFaults(t *testing.T) {
	t.Parallel()
	env := harness.Settings(harness.NewDatabase(t, harness.SQLite), "kq3Wm8ZtYv1xRb6NcP0sLd9FgHj2TuAe", harness.NewUpstream(t))
	env["MCP_SERVERS"] = file(t, `{"mcpServers": {"a": {"url": "hunter2"}, "b": {"command": "x", "env": {"KEY": "${NO_SUCH_KEY}"}}}}`)
	for _, args := range [][]string{{"serve"}, {"verify-env"}} {
		result := harness.Execute(t, env, args...)
		for _, words := range []string{`server "a", "url": is not an http or https URL`, `server "b", "env.KEY": needs ${NO_SUCH_KEY}`} {
			if result.ExitCode == 0 || !strings.Contains(result.Output(), "MCP_SERVERS: "+words) {
				t.Errorf("%v does not refuse with %q: %s", args, words, result.Output())
			}
		}
		if strings.Contains(result.Output(), "hunter2") {
			t.Errorf("%v shows what is in the file: %s", args, result.Output())
		}
	}
}

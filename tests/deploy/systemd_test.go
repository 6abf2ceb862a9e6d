//go:build deploy

package deploy_test

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

const unitFile = "deploy/systemd/chatkit-rest.service"

// directives are the directives of a unit with their values.
func directives(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, line := range withoutComments(read(t, unitFile)) {
		if name, value, ok := strings.Cut(line, "="); ok {
			found[name] = append(found[name], value)
		}
	}
	return found
}

// TestSystemdUnit runs the unit's command with the settings of its file and the
// one folder that it may write.
func TestSystemdUnit(t *testing.T) {
	t.Parallel()
	unit := directives(t)
	env := map[string]string{}
	for _, line := range withoutComments(read(t, "deploy/systemd/chatkit-rest.env")) {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
	}
	state := "/var/lib/" + unit["StateDirectory"][0]
	if unit["WorkingDirectory"][0] != state || !strings.HasPrefix(env["DATABASE_URL"], "sqlite:///"+state+"/") {
		t.Errorf("the unit's folder is %s, the database is %s", state, env["DATABASE_URL"])
	}
	grace, err := strconv.Atoi(unit["TimeoutStopSec"][0])
	timeout, err2 := time.ParseDuration(env["SHUTDOWN_TIMEOUT"])
	if err != nil || err2 != nil || time.Duration(grace)*time.Second < timeout+saveGrace {
		t.Errorf("TimeoutStopSec=%d does not fit SHUTDOWN_TIMEOUT=%s", grace, env["SHUTDOWN_TIMEOUT"])
	}
	command := strings.Fields(unit["ExecStart"][0])

	host := *theImage(t) // the same binary and user; the root is read-only, as with ProtectSystem=strict
	host.root, host.writable, host.workdir, host.env = systemdRoot(t, state), state, state, map[string]string{}
	upstream := harness.NewUpstream(t)
	for name, value := range map[string]string{"JWT_SECRET": jwtSecret, "OPENROUTER_API_KEY": upstream.Key, "OPENROUTER_BASE_URL": upstream.URL} {
		if name != "OPENROUTER_BASE_URL" && env[name] != "" {
			t.Errorf("the file has a value for %s", name)
		}
		env[name] = value
	}
	c, address := host.serve(t, env, command[1:]...)
	client := newCaller(t, "http://"+address, "127.0.0.2")
	run := client.say(client.createSession(), "Hello")
	if events := run.rest(t); events[len(events)-1] != "[DONE]" {
		t.Errorf("the stream ended with %v", events)
	}
	if _, err := os.Stat(filepath.Join(c.data, filepath.Base(env["DATABASE_URL"]))); err != nil {
		t.Errorf("the database is not in the state directory: %v", err)
	}
	if code := c.stop(patience); code != 0 {
		t.Errorf("the exit code is %d", code)
	}
}

// systemdRoot returns the image's root with the folder that the unit may write.
func systemdRoot(t *testing.T, state string) string {
	t.Helper()
	root := filepath.Join(shared, "systemd-root")
	for _, folder := range []string{"proc", "dev", state} {
		makeFolder(t, filepath.Join(root, folder))
	}
	if err := copyFile(filepath.Join(theImage(t).root, "chatkit-rest"), filepath.Join(root, "chatkit-rest"), 0o755); err != nil {
		t.Fatal(err)
	}
	return root
}

// TestSystemdCalls checks that the server makes no system call that the unit
// forbids.
func TestSystemdCalls(t *testing.T) {
	t.Parallel()
	allowed := map[string]bool{}
	for _, filter := range directives(t)["SystemCallFilter"] {
		sets, denied := strings.CutPrefix(filter, "~")
		for set := range strings.FieldsSeq(sets) {
			for _, call := range callsOf(t, set) {
				allowed[call] = !denied
			}
		}
	}
	made := callsMade(t)
	if len(made) < 20 || !slices.Contains(made, "accept4") {
		t.Fatalf("strace saw only %q", made)
	}
	for _, call := range made {
		if !allowed[call] {
			t.Errorf("the server makes the call %s, which the unit forbids", call)
		}
	}
}

// callsOf returns the calls of a systemd set, including those of its subsets.
func callsOf(t *testing.T, set string) []string {
	t.Helper()
	var calls []string
	for _, line := range withoutComments(output(t, ".", nil, "systemd-analyze", "syscall-filter", set))[1:] {
		if strings.HasPrefix(line, "@") {
			calls = append(calls, callsOf(t, line)...)
		} else {
			calls = append(calls, line)
		}
	}
	return calls
}

// callsMade returns the calls that the server makes while it starts, works and
// stops.
func callsMade(t *testing.T) []string {
	t.Helper()
	folder, upstream, i := ownFolder(t), harness.NewUpstream(t), theImage(t)
	trace := filepath.Join(folder, "trace")
	port := strconv.Itoa(harness.FreePort(t))
	env := harness.Settings("sqlite:///"+filepath.Join(folder, "chatkit.db"), jwtSecret, upstream)
	env["PORT"] = port
	// With -D strace is the grandchild, so that signals reach the server.
	cmd := exec.Command("strace", "-D", "-f", "-qq", "-o", trace, filepath.Join(i.root, "chatkit-rest"), "serve") //nolint:gosec // fixed words
	cmd.Dir, cmd.SysProcAttr = folder, i.account()
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start strace (the package strace): %v", err)
	}
	defer cmd.Process.Kill() //nolint:errcheck // it has ended unless the test failed
	harness.Eventually(t, patience, "the traced server is ready", func() bool { return get(t, "http://127.0.0.1:"+port+"/readyz") == http.StatusOK })
	client := newCaller(t, "http://127.0.0.1:"+port, "127.0.0.2")
	client.say(client.createSession(), "Hello").rest(t)
	_ = cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		t.Errorf("the traced server: %v", err)
	}
	var content []byte
	harness.Eventually(t, patience, "the trace is complete", func() bool {
		content, _ = os.ReadFile(trace) //nolint:gosec // strace writes it
		return bytes.Contains(content, []byte("exit_group("))
	})
	var calls []string
	for _, match := range regexp.MustCompile(`(?m)^\d+ +(\w+)\(`).FindAllStringSubmatch(string(content), -1) {
		if !slices.Contains(calls, match[1]) {
			calls = append(calls, match[1])
		}
	}
	return calls
}

// ownFolder returns a folder that the image's user owns.
func ownFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp(shared, "data-") //nolint:usetesting // its parent is root's alone
	if err == nil {
		err = os.Chown(folder, theImage(t).uid, theImage(t).gid)
	}
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

//go:build deploy

package deploy_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// container is a program that runs as in the image: as its user, with a
// read-only root, as PID 1, without privileges.
type container struct {
	t    *testing.T
	i    *image
	env  map[string]string
	data string
	cmd  *exec.Cmd
	pid  int // in the PID namespace of this machine
	log  logBuffer
	over chan struct{}
}

// isolation is whether a container shares the network of this machine.
type isolation bool

const (
	ownNetwork  isolation = true
	hostNetwork isolation = false
)

// start runs a command of the image. The variables of env override the image's.
func (i *image) start(t *testing.T, network isolation, env map[string]string, command ...string) *container {
	t.Helper()
	c := &container{t: t, i: i, env: maps.Clone(i.env), over: make(chan struct{})}
	maps.Copy(c.env, env)
	c.data = ownFolder(t)
	if len(command) == 0 {
		command = i.command
	}
	c.cmd = exec.Command("bwrap", append(c.sandbox(network), append(i.entrypoint, command...)...)...) //nolint:gosec // the image's words
	c.cmd.Env = []string{}
	c.cmd.Stdout, c.cmd.Stderr = &c.log, &c.log
	c.cmd.SysProcAttr = i.account() // bwrap and its child never run as root
	info, child, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c.cmd.ExtraFiles = []*os.File{child} // file descriptor 3, see --info-fd
	if err := c.cmd.Start(); err != nil {
		t.Fatalf("start bwrap (the package bubblewrap): %v", err)
	}
	_ = child.Close()
	go func() {
		_ = c.cmd.Wait() // Its exit code is read from the state.
		close(c.over)
	}()
	t.Cleanup(func() {
		c.kill()
		if t.Failed() {
			t.Logf("the container said:\n%s", c.log.String())
		}
	})
	var started struct {
		PID int `json:"child-pid"`
	}
	if err := json.NewDecoder(info).Decode(&started); err != nil {
		<-c.over
		t.Fatalf("bwrap does not start: %v\n%s", err, c.log.String())
	}
	_ = info.Close()
	c.pid = started.PID
	return c
}

// account makes a process run as the image's user.
func (i *image) account() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(i.uid), Gid: uint32(i.gid)}} //nolint:gosec // small
}

func (c *container) sandbox(network isolation) []string {
	args := []string{
		"--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try",
		"--uid", strconv.Itoa(c.i.uid), "--gid", strconv.Itoa(c.i.gid), "--cap-drop", "ALL",
		"--as-pid-1", "--die-with-parent", "--new-session", "--info-fd", "3", "--clearenv",
		"--ro-bind", c.i.root, "/", "--proc", "/proc", "--dev", "/dev", "--bind", c.data, c.i.writable,
		"--chdir", c.i.workdir,
	}
	if network == ownNetwork {
		args = append(args, "--unshare-net")
	}
	for name, value := range c.env {
		args = append(args, "--setenv", name, value)
	}
	return append(args, "--")
}

// exec runs a command in the container, as `docker exec` does, and returns its
// exit code and its output.
func (c *container) exec(command ...string) (int, string) {
	c.t.Helper()
	id := strconv.Itoa
	args := []string{
		"--target", id(c.pid), "--user", "--mount", "--ipc", "--uts", "--net", "--pid", "--root", "--wd",
		"--setuid", id(c.i.uid), "--setgid", id(c.i.gid), "--",
	}
	cmd := exec.CommandContext(c.t.Context(), "nsenter", append(args, command...)...) //nolint:gosec // the image's words
	for name, value := range c.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	text, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(text)
}

// stop sends SIGTERM, as an engine does, and returns the exit code.
func (c *container) stop(within time.Duration) int {
	c.t.Helper()
	if err := syscall.Kill(c.pid, syscall.SIGTERM); err != nil {
		c.t.Errorf("SIGTERM: %v", err)
	}
	return c.wait(within)
}

// wait waits for the exit and returns the exit code.
func (c *container) wait(within time.Duration) int {
	c.t.Helper()
	select {
	case <-c.over:
	case <-time.After(within):
		c.t.Errorf("the container did not end within %s", within)
		c.kill()
	}
	return c.cmd.ProcessState.ExitCode()
}

func (c *container) kill() {
	_ = c.cmd.Process.Kill() // Its child ends with it.
	<-c.over
}

// serve starts the server with the settings, on a free port of the loopback
// interface, and waits until it is ready.
func (i *image) serve(t *testing.T, env map[string]string, args ...string) (c *container, address string) {
	t.Helper()
	env = maps.Clone(env)
	port := strconv.Itoa(harness.FreePort(t))
	env["HOST"], env["PORT"] = "127.0.0.1", port
	c = i.start(t, hostNetwork, env, args...)
	address = "127.0.0.1:" + port
	harness.Eventually(t, patience, "the server in its container is ready", func() bool {
		select {
		case <-c.over:
			t.Fatalf("the server ended: %s", c.log.String())
		default:
		}
		return get(t, "http://"+address+"/readyz") == http.StatusOK
	})
	return c, address
}

func get(t *testing.T, url string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// status returns a field of the process's /proc status.
func (c *container) status(field string) string {
	c.t.Helper()
	content, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(c.pid), "status"))
	if err != nil {
		c.t.Fatal(err)
	}
	for line := range strings.Lines(string(content)) {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			return strings.Join(strings.Fields(rest), " ")
		}
	}
	return ""
}

// logBuffer collects what a process prints.
type logBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

//go:build chatkit

package chatkit_test

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

const (
	// startPatience is how long Python may take to start: it reads and compiles
	// many files of the packages.
	startPatience = 2 * time.Minute
	// stopPatience is how long the reference may take to end after an interrupt.
	stopPatience = 10 * time.Second
)

// python is the interpreter that `make test-chatkit` prepares.
func python(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs(".venv/bin/python")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: run `make test-chatkit`, which installs what these tests need", err)
	}
	return path
}

// startReference starts the reference with an upstream of its own. Plain starts
// it without its additions to the stream of the Agents SDK and to the package.
func startReference(t *testing.T, plain bool) *target {
	t.Helper()
	u := newUpstream(t)
	port := strconv.Itoa(harness.FreePort(t))
	address := net.JoinHostPort("127.0.0.1", port)
	cmd := exec.Command(python(t), "-m", "uvicorn", "reference.app:app", //nolint:gosec // words of ours
		"--host", "127.0.0.1", "--port", port, "--loop", "uvloop", "--http", "httptools",
		"--no-access-log", "--log-level", "warning", "--lifespan", "off", "--timeout-graceful-shutdown", "1")
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(),
		"OPENAI_BASE_URL=" + u.URL, "OPENAI_API_KEY=unused",
	}
	if plain {
		cmd.Env = append(cmd.Env, "REFERENCE_PLAIN=1", "REFERENCE_AS_IT_COMES=1")
	}
	cmd.SysProcAttr = child()
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait() // It ends by a signal.
		close(exited)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // It may have ended.
		select {
		case <-exited:
		case <-time.After(stopPatience):
			_ = cmd.Process.Kill() // as above
			<-exited
		}
		if t.Failed() {
			t.Logf("the reference's log:\n%s", log.String())
		}
	})
	awaitReady(t, "http://"+address+"/readyz", exited)
	return &target{
		name: "reference", url: "http://" + address + "/api/v1/chatkit", upstream: u,
		authorization: func(_ *testing.T, user string) string { return "Bearer " + user },
	}
}

func awaitReady(t *testing.T, url string, exited <-chan struct{}) {
	t.Helper()
	for deadline := time.Now().Add(startPatience); time.Now().Before(deadline); time.Sleep(pause) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			_ = response.Body.Close()
		}
		cancel()
		if err == nil && response.StatusCode == http.StatusOK {
			return
		}
		select {
		case <-exited:
			t.Fatal("the reference ended instead of serving")
		default:
		}
	}
	t.Fatalf("the reference was not ready within %s", startPatience)
}

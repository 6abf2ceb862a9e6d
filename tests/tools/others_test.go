package tools_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/mcp"
	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

const (
	patience     = 60 * time.Second
	pollInterval = 20 * time.Millisecond
)

// everything returns the folder of the MCP project's own test server, which make
// test installs.
func everything(tb testing.TB) string {
	tb.Helper()
	folder, err := filepath.Abs("everything/node_modules/.bin")
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folder, program)); err != nil {
		tb.Fatalf("make test installs it: %v", err)
	}
	return folder
}

const program = "mcp-server-everything"

// remote is that server over HTTP.
type remote struct {
	tb     testing.TB
	port   int
	cmd    *exec.Cmd
	exited chan struct{}
}

func serveEverything(tb testing.TB) *remote {
	tb.Helper()
	r := &remote{tb: tb, port: harness.FreePort(tb)}
	tb.Cleanup(r.kill)
	r.start()
	return r
}

func (r *remote) url() string {
	return "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(r.port)) + "/mcp"
}

func (r *remote) start() {
	r.tb.Helper()
	cmd := exec.Command(filepath.Join(everything(r.tb), program), "streamableHttp") //nolint:gosec // installed by make test
	var output bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), "PORT="+strconv.Itoa(r.port)), &output, &output
	if err := cmd.Start(); err != nil {
		r.tb.Fatalf("start %s: %v", program, err)
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait() // Only the exit matters.
		close(exited)
	}()
	r.cmd, r.exited = cmd, exited
	until(r.tb, program+" answers", func() bool {
		request, err := http.NewRequestWithContext(r.tb.Context(), http.MethodOptions, r.url(), http.NoBody)
		if err != nil {
			r.tb.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return false
		}
		return response.Body.Close() == nil
	})
}

func (r *remote) kill() {
	if r.cmd == nil {
		return
	}
	if err := r.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		r.tb.Errorf("kill %s: %v", program, err)
	}
	<-r.exited
	r.cmd = nil
}

// until waits for a condition that must become true.
func until(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	deadline := time.Now().Add(patience)
	for !holds() {
		if time.Now().After(deadline) {
			tb.Fatalf("waited %s in vain: %s", patience, what)
		}
		time.Sleep(pollInterval)
	}
}

// open starts a toolbox with one server and waits for the first attempt to
// connect.
func open(tb testing.TB, server mcp.Server) *mcp.Toolbox {
	tb.Helper()
	server.Name, server.Timeout = "everything", patience
	box := mcp.Start(mcp.Options{Servers: []mcp.Server{server}, Version: "test", Logger: slog.New(slog.NewTextHandler(tb.Output(), nil))})
	tb.Cleanup(box.Close)
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	box.Await(ctx)
	return box
}

func call(ctx context.Context, box *mcp.Toolbox, tool, arguments string) chat.ToolResult {
	return box.Call(ctx, chat.ToolUse{Name: "everything__" + tool, Arguments: arguments, UserID: "alice"})
}

// TestEverythingServer: the tools of a server that this project did not write are
// listed and called, many times at once, over both transports.
func TestEverythingServer(t *testing.T) {
	t.Parallel()
	test := func(t *testing.T, server mcp.Server) {
		t.Helper()
		box := open(t, server)
		var names []string
		for _, tool := range box.Tools(t.Context()) {
			names = append(names, tool.Name)
		}
		if !slices.Contains(names, "everything__echo") || !slices.IsSorted(names) {
			t.Errorf("the tools are %q", names)
		}
		var calls sync.WaitGroup
		for i := range 20 {
			calls.Go(func() {
				got := call(t.Context(), box, "echo", fmt.Sprintf(`{"message":"hello %d"}`, i))
				if want := fmt.Sprintf("Echo: hello %d", i); got.Failed || got.Text != want {
					t.Errorf("echo gave %+v, want %q", got, want)
				}
			})
		}
		calls.Wait()
		if got := call(t.Context(), box, "echo", `{"message":1}`); !got.Failed || !strings.Contains(got.Text, "message") {
			t.Errorf("a wrong argument gave %+v", got)
		}
		if got := call(t.Context(), box, "get-tiny-image", "{}"); got.Failed || !strings.Contains(got.Text, "[an image, image/png, ") {
			t.Errorf("an image gave %+v", got)
		}
		// These need capabilities that are not offered to servers.
		for _, name := range names {
			if strings.Contains(name, "sampling") || strings.Contains(name, "elicitation") || strings.Contains(name, "roots") {
				t.Errorf("the server believes that it may use %s", name)
			}
		}
	}
	t.Run("stdio", func(t *testing.T) {
		t.Parallel()
		test(t, mcp.Server{Command: filepath.Join(everything(t), program)})
	})
	t.Run("http", func(t *testing.T) {
		t.Parallel()
		test(t, mcp.Server{URL: serveEverything(t).url()})
	})
}

// TestEverythingServerIsKilled: a call whose server is killed fails soon, long
// before its time-out, and a call made while the server is away waits until it is
// back. That server can resume the stream of a call, so the stream is resumed in
// vain first.
func TestEverythingServerIsKilled(t *testing.T) {
	t.Parallel()
	server := serveEverything(t)
	box := open(t, mcp.Server{URL: server.url()})
	result := make(chan chat.ToolResult, 1)
	go func() {
		result <- call(t.Context(), box, "trigger-long-running-operation", `{"duration":600,"steps":600}`)
	}()
	until(t, "the server answers", func() bool { return !call(t.Context(), box, "echo", `{"message":"x"}`).Failed })
	server.kill()
	killed := time.Now()
	want := chat.ToolResult{Failed: true, CallFailed: true, Text: "The connection to the tool's server broke during the call. It is not known whether the tool did its work."}
	if got := <-result; got != want {
		t.Errorf("the call gave %+v, want %+v", got, want)
	}
	if took := time.Since(killed); took > patience/6 {
		t.Errorf("the call failed %s after its server was killed", took)
	}
	if len(box.Tools(t.Context())) == 0 {
		t.Error("the tools of a server that is reconnecting are not offered")
	}
	waiting := make(chan chat.ToolResult, 1)
	go func() { waiting <- call(t.Context(), box, "echo", `{"message":"x"}`) }()
	server.start()
	if got := <-waiting; got.Failed || got.Text != "Echo: x" {
		t.Errorf("a call made while the server was away gave %+v", got)
	}
}

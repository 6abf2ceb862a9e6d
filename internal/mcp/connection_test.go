package mcp

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/tests/tasks"
)

// TestListChanged: a tool that the server adds or removes is offered or no longer
// offered, because of the server's notice: the regular check is switched off.
func TestListChanged(t *testing.T) {
	t.Parallel()
	onEachTransport(t, func(t *testing.T, server Server) {
		p := brisk()
		p.check = time.Hour
		if strings.HasSuffix(t.Name(), "stateless") {
			p.check = 50 * time.Millisecond // A server without sessions sends no notices.
		}
		b := openAt(t, p, server)
		if b.has("grown") {
			t.Fatal("the tool is there already")
		}
		b.want("grow", "", "done")
		until(t, "the new tool is offered", func() bool { return b.has("grown") })
		b.want("grown", "", "grown")
		b.want("shrink", "", "done")
		until(t, "the tool is no longer offered", func() bool { return !b.has("grown") })
		b.wantFailed("grown", "", "no tool")
	})
}

// TestCommandCrashes: when a command exits during a call, each call in progress
// fails with a text, and the command is started again.
func TestCommandCrashes(t *testing.T) {
	t.Parallel()
	b := open(t, Server{Name: "tasks", Command: tasks.Binary(t)})
	b.want("add_task", `{"title":"Buy milk"}`, "Added task 1: Buy milk")
	beside := make(chan chat.ToolResult, 1)
	go func() { beside <- b.call("slow", `{"milliseconds":600000}`) }()
	until(t, "the slow call is under way", func() bool { return b.servers[0].calls.Load() == 1 })
	b.wantFailed("crash", "", "broke during the call")
	if got := <-beside; !got.Failed || !strings.Contains(got.Text, "broke during the call") {
		t.Errorf("the call beside it gave %+v", got)
	}
	until(t, "the server is back", func() bool { return !b.call("list_tasks", "").Failed })
	b.want("list_tasks", "", "There are no tasks.")
}

// TestServerRestarts: the same over HTTP, where the server's own operator
// starts it again. A call that is made meanwhile waits for it.
func TestServerRestarts(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"-stateless"}} {
		t.Run(fmt.Sprint(args), func(t *testing.T) {
			t.Parallel()
			remote := tasks.Serve(t, args...)
			b := open(t, served(remote))
			b.want("add_task", `{"title":"Buy milk"}`, "Added task 1: Buy milk")
			b.wantFailed("crash", "", "broke during the call")
			<-remote.Exited()
			waiting := make(chan chat.ToolResult, 1)
			go func() { waiting <- b.call("list_tasks", "") }()
			until(t, "a call waits", func() bool { return b.servers[0].calls.Load() == 1 })
			remote.Start()
			if got := <-waiting; got.Failed || got.Text != "There are no tasks." {
				t.Errorf("the call that waited gave %+v", got)
			}
			if log := b.log.String(); strings.Contains(log, remote.Token) || strings.Contains(log, remote.URL) {
				t.Errorf("the log has the token or the URL:\n%s", log)
			}
		})
	}
}

// TestServerRestartsBetweenCalls: a server that was restarted between two calls
// does not know the session.
func TestServerRestartsBetweenCalls(t *testing.T) {
	t.Parallel()
	remote := tasks.Serve(t)
	b := open(t, served(remote))
	remote.Kill()
	remote.Start()
	until(t, "calls are answered again", func() bool { return !b.call("list_tasks", "").Failed })
}

// TestUnreachableAtStart: the other servers' tools are offered meanwhile, and the
// server is connected when it can be reached.
func TestUnreachableAtStart(t *testing.T) {
	t.Parallel()
	remote := tasks.NewUnstarted(t)
	late := served(remote)
	late.Name = "late"
	b := open(t, late, Server{Name: "tasks", Command: tasks.Binary(t)},
		Server{Name: "wrong", Command: filepath.Join(t.TempDir(), "no-such-program")})
	if !b.has("list_tasks") || len(b.names()) != 15 {
		t.Errorf("the tools are %q", b.names())
	}
	b.want("list_tasks", "", "There are no tasks.")
	remote.Start()
	until(t, "the late server is there", func() bool { return len(b.names()) == 30 })
}

// TestMute: a server that answers nothing delays neither the start nor other
// servers, and its process is stopped each time.
func TestMute(t *testing.T) {
	t.Parallel()
	p := brisk()
	p.start = 200 * time.Millisecond
	b := openAt(t, p, Server{Name: "mute", Command: tasks.Binary(t), Args: []string{"-mute"}},
		Server{Name: "tasks", Command: tasks.Binary(t)})
	until(t, "the log says that it does not answer", func() bool {
		return strings.Count(b.log.String(), "did not start within 200ms") > 1
	})
	until(t, "the other one is there", func() bool { return b.has("list_tasks") })
	ended, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	b.Await(ended) // returns at once
}

// TestMuteHTTP: the same over HTTP, where the server reads a request and does not
// answer it.
func TestMuteHTTP(t *testing.T) {
	t.Parallel()
	hang := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // Only then does the server notice that the client disconnects.
		<-r.Context().Done()
	}))
	t.Cleanup(hang.Close)
	p := brisk()
	p.start, p.leave = 200*time.Millisecond, 50*time.Millisecond
	b := openAt(t, p, Server{Name: "tasks", URL: hang.URL})
	until(t, "the log says that it does not answer", func() bool {
		return strings.Contains(b.log.String(), "did not start within 200ms")
	})
	b.wantFailed("list_tasks", "", "cannot be reached")
}

// TestRefused: the log says that an HTTP server does not accept the token.
func TestRefused(t *testing.T) {
	t.Parallel()
	server := served(tasks.Serve(t))
	server.Headers = map[string]string{"Authorization": "Bearer another-token"}
	b := open(t, server)
	if !strings.Contains(b.log.String(), "Unauthorized") {
		t.Error("the log does not say that the server refuses")
	}
}

// TestRedirect: redirects are not followed, so no other host gets the headers.
func TestRedirect(t *testing.T) {
	t.Parallel()
	server := served(tasks.Serve(t))
	server.URL = strings.TrimSuffix(server.URL, "/mcp") + "/moved"
	b := open(t, server)
	if !strings.Contains(b.log.String(), "redirects elsewhere") {
		t.Error("the log does not tell of the redirect")
	}
}

// TestCallEndsAtOnce: a call ends with its context, and when the toolbox is
// closed, even if the tool continues.
func TestCallEndsAtOnce(t *testing.T) {
	t.Parallel()
	onEachTransport(t, func(t *testing.T, server Server) {
		b := open(t, server)
		ctx, cancel := context.WithCancel(t.Context())
		results := make(chan chat.ToolResult, 2)
		for _, ctx := range []context.Context{ctx, t.Context()} {
			go func() {
				results <- b.Call(ctx, chat.ToolUse{Name: "tasks__slow", Arguments: `{"milliseconds":600000}`})
			}()
		}
		until(t, "the calls are under way", func() bool { return b.servers[0].calls.Load() == 2 })
		cancel()
		if got := <-results; !got.Failed || !strings.Contains(got.Text, "stopped") {
			t.Errorf("the call whose context ended gave %+v", got)
		}
		b.Close()
		if got := <-results; !got.Failed {
			t.Errorf("the call that the closing cut gave %+v", got)
		}
		if got := b.call("list_tasks", ""); !got.Failed || len(b.names()) != 0 {
			t.Errorf("the closed toolbox answers %+v", got)
		}
	})
}

// TestStuckPipe: a command that reads nothing delays a call no longer than its
// time-out, and is killed.
func TestStuckPipe(t *testing.T) {
	t.Parallel()
	server := Server{Name: "tasks", Command: tasks.Binary(t), Timeout: 300 * time.Millisecond}
	b := open(t, server)
	child := childOf(t, b)
	stopProcess(t, child)
	big := `{"title":"` + strings.Repeat("x", 1<<20) + `"}`
	b.wantFailed("add_task", big, "did not answer within")
	b.wantFailed("add_task", big, "did not answer within")
	b.Close()
	wantGone(t, child)
}

// TestNoOrphans: Close ends a command and all processes that it started, even if
// the command ignores the end of its stdin and SIGTERM.
func TestNoOrphans(t *testing.T) {
	t.Parallel()
	for name, command := range map[string]Server{
		"plain":    {Command: tasks.Binary(t)},
		"stubborn": {Command: tasks.Binary(t), Args: []string{"-stubborn"}},
		"launched": {Command: "sh", Args: []string{"-c", "sleep 600 & " + tasks.Binary(t) + " -stubborn; true"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			command.Name = "tasks"
			b := open(t, command)
			b.want("list_tasks", "", "There are no tasks.")
			group := childOf(t, b)
			b.Close()
			wantGone(t, group)
		})
	}
}

// TestKilledChild: a command that is killed is started again, without a call that
// finds it missing.
func TestKilledChild(t *testing.T) {
	t.Parallel()
	b := open(t, Server{Name: "tasks", Command: tasks.Binary(t)})
	first := childOf(t, b)
	process, err := os.FindProcess(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Kill(); err != nil {
		t.Fatal(err)
	}
	until(t, "another process answers", func() bool { return !b.call("list_tasks", "").Failed && childOf(t, b) != first })
}

// TestProbe: verify-env learns the tools of a server, or what is wrong.
func TestProbe(t *testing.T) {
	t.Parallel()
	onEachTransport(t, func(t *testing.T, server Server) {
		server.Tools = []string{"add_task", "no_such"}
		found, err := Probe(t.Context(), server, "test")
		if err != nil || len(found.Tools) != 1 || len(found.Missing) != 1 || found.Missing[0] != "no_such" {
			t.Errorf("the probe found %+v, %v", found, err)
		}
	})
	var config net.ListenConfig
	closed, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	_, err = Probe(t.Context(), Server{Name: "tasks", URL: "http://" + closed.Addr().String() + "/key-4711"}, "test")
	if err == nil || !strings.Contains(err.Error(), "refused") || strings.Contains(err.Error(), "4711") {
		t.Errorf("a probe of a server that is away says: %v", err)
	}
	_, err = Probe(t.Context(), Server{Name: "tasks", Command: "sh", Args: []string{"-c", "echo out of milk >&2"}}, "test")
	if err == nil || !strings.Contains(err.Error(), "out of milk") {
		t.Errorf("a probe of a command that ends says: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err = Probe(ctx, Server{Name: "tasks", Command: tasks.Binary(t), Args: []string{"-mute"}}, "test")
	if err == nil || !strings.Contains(err.Error(), "in time") {
		t.Errorf("a probe of a mute command says: %v", err)
	}
}

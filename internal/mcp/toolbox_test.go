package mcp

import (
	"bytes"
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/tests/tasks"
)

const (
	// patience bounds every wait for what must come.
	patience = 30 * time.Second
	poll     = 5 * time.Millisecond
)

// record keeps what is logged.
type record struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.buffer.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.buffer.String()
}

// box is a toolbox under test with its log.
type box struct {
	*Toolbox

	t   *testing.T
	log *record
}

// brisk returns a pace with short pauses.
func brisk() *pace {
	p := usualPace()
	p.again, p.most, p.gap, p.stop = time.Millisecond, 50*time.Millisecond, time.Millisecond, 300*time.Millisecond
	return p
}

// open starts a toolbox and waits for the first attempt to connect to each server.
func open(t *testing.T, servers ...Server) box {
	t.Helper()
	return openAt(t, brisk(), servers...)
}

func openAt(t *testing.T, p *pace, servers ...Server) box {
	t.Helper()
	b := box{t: t, log: &record{}}
	for i := range servers {
		if servers[i].Timeout == 0 {
			servers[i].Timeout = patience
		}
	}
	logger := slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	b.Toolbox = Start(Options{Servers: servers, Version: "test", Logger: logger, pace: p})
	t.Cleanup(func() {
		b.Close()
		if t.Failed() {
			t.Log(b.log.String())
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	b.Await(ctx)
	return b
}

// call calls a tool of the server named tasks. Empty arguments stand for {}.
func (b box) call(tool, arguments string) chat.ToolResult {
	arguments = cmp.Or(arguments, "{}")
	return b.Call(b.t.Context(), chat.ToolUse{Name: "tasks__" + tool, Arguments: arguments, UserID: "alice@example.com"})
}

// want calls a tool that must succeed with this text.
func (b box) want(tool, arguments, text string) {
	b.t.Helper()
	if got := b.call(tool, arguments); got.Failed || got.Text != text {
		b.t.Errorf("%s(%s) gave %+v, want %q", tool, arguments, got, text)
	}
}

// wantFailed calls a tool and wants a failed call with a text that has these words.
func (b box) wantFailed(tool, arguments string, words ...string) {
	b.t.Helper()
	got := b.call(tool, arguments)
	for _, word := range words {
		if !got.Failed || !got.CallFailed || !strings.Contains(got.Text, word) {
			b.t.Errorf("%s(%s) gave %+v, want a failed call with %q", tool, arguments, got, word)
		}
	}
}

// wantError calls a tool that must report an error of its own with these words.
func (b box) wantError(tool, arguments, words string) {
	b.t.Helper()
	if got := b.call(tool, arguments); !got.Failed || got.CallFailed || !strings.Contains(got.Text, words) {
		b.t.Errorf("%s(%s) gave %+v, want an error of the tool with %q", tool, arguments, got, words)
	}
}

func (b box) names() []string {
	var names []string
	for _, tool := range b.Tools(b.t.Context()) {
		names = append(names, tool.Name)
	}
	return names
}

func (b box) has(tool string) bool { return slices.Contains(b.names(), "tasks__"+tool) }

// until waits for a condition that must become true.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s in vain: %s", patience, what)
		}
		time.Sleep(poll)
	}
}

// onEachTransport runs a test over stdin and stdout, and over HTTP with and without
// sessions.
func onEachTransport(t *testing.T, test func(*testing.T, Server)) {
	t.Helper()
	t.Run("stdio", func(t *testing.T) {
		t.Parallel()
		test(t, Server{Name: "tasks", Command: tasks.Binary(t)})
	})
	t.Run("http", func(t *testing.T) {
		t.Parallel()
		test(t, served(tasks.Serve(t)))
	})
	t.Run("stateless", func(t *testing.T) {
		t.Parallel()
		test(t, served(tasks.Serve(t, "-stateless")))
	})
}

func served(s *tasks.Server) Server {
	return Server{Name: "tasks", URL: s.URL, Headers: map[string]string{"Authorization": "Bearer " + s.Token}}
}

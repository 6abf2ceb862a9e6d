// Package tasks starts the MCP server of tests/tasks/server for tests.
package tasks

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

const (
	startTimeout = 20 * time.Second
	pollInterval = 10 * time.Millisecond
)

// Binary returns the path of the built server. Without arguments the server serves
// stdin and stdout.
func Binary(tb testing.TB) string {
	tb.Helper()
	return harness.Program(tb, "tests/tasks/server")
}

// Server is a server over HTTP. It is stopped when its test ends.
type Server struct {
	// URL is the server's URL for MCP_SERVERS.
	URL string
	// Token is the bearer token that the server requires.
	Token string

	tb      testing.TB
	address string
	args    []string
	cmd     *exec.Cmd
	exited  chan struct{}
}

// Serve starts a server on a free port, with additional arguments.
func Serve(tb testing.TB, args ...string) *Server {
	tb.Helper()
	s := NewUnstarted(tb, args...)
	s.Start()
	return s
}

// NewUnstarted returns a server with an address. Start starts it.
func NewUnstarted(tb testing.TB, args ...string) *Server {
	tb.Helper()
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(harness.FreePort(tb)))
	s := &Server{URL: "http://" + address + "/mcp", Token: "tasks-token-5f1c", tb: tb, address: address, args: args}
	tb.Cleanup(s.Kill)
	return s
}

// Start starts the server and waits until it is ready.
func (s *Server) Start() {
	s.tb.Helper()
	cmd := exec.Command(Binary(s.tb), append([]string{"-http", s.address}, s.args...)...) //nolint:gosec // a program of this repository
	cmd.Env, cmd.Stderr = append(os.Environ(), "TASKS_TOKEN="+s.Token), os.Stderr
	if err := cmd.Start(); err != nil {
		s.tb.Fatalf("start the server of the tasks: %v", err)
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait() // Only the exit matters.
		close(exited)
	}()
	s.cmd, s.exited = cmd, exited
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for !s.isReady(ctx) {
		select {
		case <-exited:
			s.tb.Fatal("the server of the tasks exited")
		case <-ctx.Done():
			s.tb.Fatal("the server of the tasks is not ready in time")
		case <-time.After(pollInterval):
		}
	}
}

func (s *Server) isReady(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, http.NoBody)
	if err != nil {
		s.tb.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusUnauthorized
}

// Exited is closed when the server has exited.
func (s *Server) Exited() <-chan struct{} { return s.exited }

// Kill ends the server if it is running.
func (s *Server) Kill() {
	if s.cmd == nil {
		return
	}
	if err := s.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.tb.Errorf("kill the server of the tasks: %v", err)
	}
	<-s.exited
	s.cmd = nil
	http.DefaultClient.CloseIdleConnections()
}

// Package redis starts real Redis servers for tests: without a configuration
// file, on a free port of the loopback interface, with nothing stored on disk.
package redis

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	client "github.com/redis/go-redis/v9"

	"github.com/chatkit-rest/chatkit-rest/tests/child"
)

const (
	startPatience = 20 * time.Second
	pollInterval  = 10 * time.Millisecond
)

// Options are the options of Start.
type Options struct {
	// Password is required of every client unless it is empty.
	Password string
	// Certificate and Key are PEM files. With them the server accepts TLS only.
	Certificate, Key string
}

// Server is a Redis server. It is stopped when its test ends.
type Server struct {
	// URL is the value for REDIS_URL.
	URL string

	tb      testing.TB
	options Options
	folder  string
	port    string
	cmd     *exec.Cmd
	output  *bytes.Buffer
	exited  chan struct{}
}

// Start starts a server and waits until it answers. The test fails if
// redis-server is not installed.
func Start(tb testing.TB, o Options) *Server {
	tb.Helper()
	port, err := child.FreePort(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	s := &Server{tb: tb, options: o, folder: tb.TempDir(), port: strconv.Itoa(port)}
	scheme, password := "redis", ""
	if o.Certificate != "" {
		scheme = "rediss"
	}
	if o.Password != "" {
		password = ":" + o.Password + "@"
	}
	s.URL = scheme + "://" + password + net.JoinHostPort("127.0.0.1", s.port)
	tb.Cleanup(s.Kill)
	s.Restart()
	return s
}

// Restart starts an empty server on the same port.
func (s *Server) Restart() {
	s.tb.Helper()
	s.Kill()
	args := []string{"--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", s.folder}
	if s.options.Password != "" {
		args = append(args, "--requirepass", s.options.Password)
	}
	if s.options.Certificate != "" {
		args = append(args, "--port", "0", "--tls-port", s.port, "--tls-auth-clients", "no",
			"--tls-cert-file", s.options.Certificate, "--tls-key-file", s.options.Key,
			"--tls-ca-cert-file", s.options.Certificate)
	} else {
		args = append(args, "--port", s.port)
	}
	s.output = new(bytes.Buffer)
	cmd := exec.Command("redis-server", args...) //nolint:gosec // fixed words and files of the test
	cmd.Stdout, cmd.Stderr = s.output, s.output
	cmd.SysProcAttr = child.Attributes()
	if err := cmd.Start(); err != nil {
		s.tb.Fatalf("start redis-server (tests/prepare.sh redis installs it): %v", err)
	}
	exited := make(chan struct{})
	s.cmd, s.exited = cmd, exited
	go func() {
		_ = cmd.Wait() // Only the exit matters.
		close(exited)
	}()
	if err := s.awaitPort(); err != nil {
		s.Kill()
		s.tb.Fatalf("%v\n%s", err, s.output)
	}
}

// awaitPort waits until the server accepts connections.
func (s *Server) awaitPort() error {
	ctx, cancel := context.WithTimeout(context.Background(), startPatience)
	defer cancel()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		var dialer net.Dialer
		if conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", s.port)); err == nil {
			return conn.Close()
		}
		select {
		case <-s.exited:
			return errors.New("redis-server ended")
		case <-ctx.Done():
			return fmt.Errorf("redis-server took no connection for %s", startPatience)
		case <-ticker.C:
		}
	}
}

// Kill ends the server if it is running.
func (s *Server) Kill() {
	if s.cmd == nil {
		return
	}
	s.signal(syscall.SIGKILL)
	<-s.exited
	s.cmd = nil
}

// Freeze suspends the server's process: connections stay open and get no answer
// until Thaw.
func (s *Server) Freeze() { s.signal(syscall.SIGSTOP) }

// Thaw resumes a suspended server.
func (s *Server) Thaw() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(signal syscall.Signal) {
	if err := s.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.tb.Errorf("send %s to redis-server: %v", signal, err)
	}
}

// Client returns a client of the server.
func (s *Server) Client(tb testing.TB) *client.Client {
	tb.Helper()
	c := client.NewClient(&client.Options{Addr: net.JoinHostPort("127.0.0.1", s.port), Password: s.options.Password})
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

// Keys returns all keys of the server.
func (s *Server) Keys(tb testing.TB) []string {
	tb.Helper()
	keys, err := s.Client(tb).Keys(tb.Context(), "*").Result()
	if err != nil {
		tb.Fatalf("list the keys: %v", err)
	}
	return keys
}

// Addresses returns the keys that count a client's requests.
func (s *Server) Addresses(tb testing.TB) []string {
	tb.Helper()
	var keys []string
	for _, key := range s.Keys(tb) {
		if !strings.HasSuffix(key, ":probe") {
			keys = append(keys, key)
		}
	}
	return keys
}

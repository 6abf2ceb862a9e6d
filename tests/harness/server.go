package harness

import (
	"context"
	"crypto/rand"
	"maps"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/child"
)

const (
	startTimeout = 60 * time.Second
	pollInterval = 20 * time.Millisecond
	// portTries is the number of ports that are tried. Another process may take
	// a free port before the server listens on it.
	portTries = 5
	// Unset as a value in Options.Env removes a variable.
	Unset = "\x00"
)

// Options are the options of Start.
type Options struct {
	// Database is the engine. A new database is created unless DatabaseURL is set.
	Database Database
	// DatabaseURL is the URL of an existing database.
	DatabaseURL string
	// Env overrides the harness's settings.
	Env map[string]string
	// Args are the arguments after "serve". Nil means --migrate.
	Args []string
	// Upstream is the upstream; nil starts a new one.
	Upstream *Upstream
}

// Server is a running server.
type Server struct {
	// Kind is the database's engine.
	Kind Database
	// URL is the server's URL without a final slash.
	URL         string
	DatabaseURL string
	// Secret is the key of the tokens that the server accepts.
	Secret   string
	Upstream *Upstream

	t         testing.TB
	options   Options
	folder    string
	env       map[string]string
	port      int
	log       output
	process   *process
	transport *http.Transport
}

// Start starts a server and waits until it is ready. The server is stopped when
// the test ends. The test fails if the server does not exit with 0 or if its
// log has a panic or a data race.
func Start(tb testing.TB, o Options) *Server {
	tb.Helper()
	s := &Server{Kind: o.Database, t: tb, options: o, folder: tb.TempDir(), Secret: rand.Text() + rand.Text(), Upstream: o.Upstream}
	if s.Upstream == nil {
		s.Upstream = NewUpstream(tb)
	}
	s.DatabaseURL = o.DatabaseURL
	if s.DatabaseURL == "" {
		s.DatabaseURL = NewDatabase(tb, o.Database)
	}
	s.transport = &http.Transport{MaxIdleConnsPerHost: 128, DisableCompression: true}
	s.env = Settings(s.DatabaseURL, s.Secret, s.Upstream)
	maps.Copy(s.env, o.Env)
	if secret := s.env["JWT_SECRET"]; secret != Unset {
		s.Secret = secret
	}
	tb.Cleanup(s.end)
	s.start(tb)
	return s
}

// Settings returns the default settings of a server under test.
func Settings(databaseURL, secret string, upstream *Upstream) map[string]string {
	return map[string]string{
		"DATABASE_URL":          databaseURL,
		"JWT_SECRET":            secret,
		"OPENROUTER_API_KEY":    upstream.Key,
		"OPENROUTER_BASE_URL":   upstream.URL,
		"HOST":                  "127.0.0.1",
		"RATE_LIMIT_PER_MINUTE": "0",
		"SHUTDOWN_TIMEOUT":      "2s",
		"LOG_LEVEL":             "debug",
		"LOG_FORMAT":            "json",
	}
}

// start starts the program and waits until it is ready. It tries other ports if
// the first one is in use.
func (s *Server) start(tb testing.TB) {
	tb.Helper()
	args := s.options.Args
	if args == nil {
		args = []string{"--migrate"}
	}
	for range portTries {
		if s.port == 0 {
			s.port = FreePort(tb)
		}
		s.env["PORT"] = strconv.Itoa(s.port)
		s.URL = "http://" + net.JoinHostPort("127.0.0.1", s.env["PORT"])
		before := len(s.log.String())
		s.process = spawn(tb, s.env, s.folder, &s.log, append([]string{"serve"}, args...)...)
		if s.awaitReady(tb) {
			return
		}
		if !strings.Contains(s.log.String()[before:], "address already in use") {
			break
		}
		s.port = 0
	}
	tb.Fatalf("the server did not become ready (exit code %d)", s.process.cmd.ProcessState.ExitCode())
}

// awaitReady waits until the server is ready. It returns false if the process
// exits.
func (s *Server) awaitReady(tb testing.TB) bool {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		if s.isReady(ctx) && s.process.running() {
			return true
		}
		select {
		case <-s.process.exited:
			return false
		case <-ctx.Done():
			s.process.kill(tb)
			tb.Fatalf("the server was not ready after %s", startTimeout)
		case <-ticker.C:
		}
	}
}

func (s *Server) isReady(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/readyz", http.NoBody)
	if err != nil {
		return false
	}
	response, err := s.transport.RoundTrip(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// Log returns the server's output since its first start.
func (s *Server) Log() string { return s.log.String() }

// AwaitLog waits until the server's output has the text. The output of a process
// may arrive after its response.
func (s *Server) AwaitLog(tb testing.TB, text string) {
	tb.Helper()
	for deadline := time.Now().Add(startTimeout); !strings.Contains(s.Log(), text); time.Sleep(pollInterval) {
		if time.Now().After(deadline) {
			tb.Fatalf("after %s the log does not have %q", startTimeout, text)
		}
	}
}

// Kill ends the server with SIGKILL.
func (s *Server) Kill() {
	s.t.Helper()
	s.process.kill(s.t)
	s.transport.CloseIdleConnections()
}

// Stop ends the server with SIGTERM and returns its exit code.
func (s *Server) Stop() int {
	s.t.Helper()
	code := s.process.stop(s.t)
	s.transport.CloseIdleConnections()
	return code
}

// Terminate sends SIGTERM and does not wait for the exit.
func (s *Server) Terminate() { s.process.signal(s.t, syscall.SIGTERM) }

// Exited is closed when the server's process has exited.
func (s *Server) Exited() <-chan struct{} { return s.process.exited }

// PID returns the process id of the server.
func (s *Server) PID() int { return s.process.cmd.Process.Pid }

// Restart starts the server again on the same database. It stops a running
// server first.
func (s *Server) Restart() {
	s.t.Helper()
	if s.process.running() {
		s.Stop()
	}
	s.start(s.t)
}

func (s *Server) end() {
	s.transport.CloseIdleConnections()
	if s.process != nil && s.process.running() {
		s.Upstream.release() // Running scripts must not delay the stop.
		if code := s.process.stop(s.t); code != 0 {
			s.t.Errorf("the server ended with exit code %d after SIGTERM", code)
		}
	}
	log := s.log.String()
	checkLog(s.t, log)
	if s.t.Failed() {
		s.t.Logf("the server's log:\n%s", tail(log))
	}
}

// FreePort returns a free TCP port of the loopback interface.
func FreePort(tb testing.TB) int {
	tb.Helper()
	port, err := child.FreePort(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	return port
}

package server_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/server"
)

// piped is a listener of connections that a test makes in memory: a bubble's
// clock stands still while a socket is waited for.
type piped struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *piped) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *piped) Close() error {
	close(p.closed)
	return nil
}

func (*piped) Addr() net.Addr { return &net.TCPAddr{} }

// watched tells when the server hangs up.
type watched struct {
	net.Conn

	once sync.Once
	hung chan time.Time
}

func (w *watched) Close() error {
	w.once.Do(func() { w.hung <- time.Now() })
	return w.Conn.Close()
}

// visit has a client come to a server in a bubble. It returns the client's side
// of the connection, when the server hangs up, and the header that lets one in.
func visit(t *testing.T) (client net.Conn, hung <-chan time.Time, authorization string) {
	t.Helper()
	return connect(t, door{})
}

// connect is visit with a handler of the test's own.
func connect(t *testing.T, handler api.StrictServerInterface) (client net.Conn, hung <-chan time.Time, authorization string) {
	t.Helper()
	options, bearer := newOptions(t, handler, io.Discard)
	httpServer, err := server.New(options)
	if err != nil {
		t.Fatal(err)
	}
	listener := &piped{conns: make(chan net.Conn), closed: make(chan struct{})}
	served := make(chan error, 1)
	go func() { served <- httpServer.Serve(listener) }()
	client, theirs := net.Pipe()
	conn := &watched{Conn: theirs, hung: make(chan time.Time, 1)}
	listener.conns <- conn
	t.Cleanup(func() {
		client.Close()
		if err := httpServer.Shutdown(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return client, conn.hung, "Authorization: " + bearer
}

func send(t *testing.T, client net.Conn, lines ...string) {
	t.Helper()
	if _, err := io.WriteString(client, strings.Join(lines, "\r\n")); err != nil {
		t.Fatal(err)
	}
}

// wantHungUp wants the server to hang up so long from now.
func wantHungUp(t *testing.T, hung <-chan time.Time, want time.Duration) {
	t.Helper()
	start := time.Now()
	select {
	case at := <-hung:
		if after := at.Sub(start); after != want {
			t.Errorf("the server hung up after %s, want %s", after, want)
		}
	case <-time.After(time.Hour):
		t.Errorf("the server did not hang up, want it after %s", want)
	}
}

// A client whose request never ends is hung up on, whether anybody wants the
// rest of it or not.
func TestRequestWithoutAnEnd(t *testing.T) {
	t.Parallel()
	post := func(path string) []string {
		return []string{"POST " + path + " HTTP/1.1", "Host: test", "Content-Type: application/json", "Content-Length: 9"}
	}
	for name, c := range map[string]struct {
		sent, body []string
		want       time.Duration
	}{
		"nothing":          {nil, nil, 10 * time.Second},
		"half a header":    {[]string{"GET /health HTTP/1.1", "Host: test"}, nil, 10 * time.Second},
		"half a body":      {post(threadsPath()), []string{"", "", "{"}, 30 * time.Second},
		"half a vain body": {post("/health"), []string{"", "", "{"}, 30 * time.Second},
		"no body":          {post(threadsPath()), []string{"", ""}, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, hung, authorization := visit(t)
				go func() { _, _ = io.Copy(io.Discard, client) }()
				if c.sent != nil {
					send(t, client, append(append(c.sent, authorization), c.body...)...)
				}
				wantHungUp(t, hung, c.want)
			})
		})
	}
}

// A header that arrives a byte at a time must still be there in time: no byte
// buys another second.
func TestHeaderByDrops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, hung, _ := visit(t)
		start := time.Now()
		send(t, client, "GET /health HTTP/1.1", "Host: test", "X-Slow: ")
		drop := time.NewTicker(time.Second)
		defer drop.Stop()
		for {
			select {
			case at := <-hung:
				if after := at.Sub(start); after != 10*time.Second {
					t.Errorf("the server hung up after %s, want 10s", after)
				}
				return
			case <-drop.C:
				_, _ = io.WriteString(client, "x") // It fails once the server has hung up.
			}
		}
	})
}

// A client that asks nothing more is hung up on, and so is one that does not
// take its answer.
func TestClientThatDoesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, hung, _ := visit(t)
		send(t, client, "GET /none HTTP/1.1", "Host: test", "", "")
		answer, err := http.ReadResponse(bufio.NewReader(client), nil)
		if err != nil || answer.StatusCode != http.StatusNotFound {
			t.Fatalf("answered %+v and %v", answer, err)
		}
		if _, err := io.Copy(io.Discard, answer.Body); err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		wantHungUp(t, hung, 2*time.Minute)
	})
	synctest.Test(t, func(t *testing.T) {
		client, hung, _ := visit(t)
		send(t, client, "GET /openapi.yaml HTTP/1.1", "Host: test", "", "")
		wantHungUp(t, hung, 2*time.Minute)
	})
}

// A header is bounded in its size too; net/http takes 4 KiB more than it is told.
func TestHeaderIsBounded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ size, want int }{
		{31 << 10, http.StatusNotFound}, {37 << 10, http.StatusRequestHeaderFieldsTooLarge},
	} {
		synctest.Test(t, func(t *testing.T) {
			client, _, _ := visit(t)
			go func() { // The server may hang up before it has read all of it.
				_, _ = io.WriteString(client, "GET /none HTTP/1.1\r\nHost: test\r\nX: "+strings.Repeat("x", c.size)+"\r\n\r\n")
			}()
			answer, err := http.ReadResponse(bufio.NewReader(client), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			if answer.StatusCode != c.want {
				t.Errorf("a header of %d bytes is answered %d, want %d", c.size, answer.StatusCode, c.want)
			}
		})
	}
}

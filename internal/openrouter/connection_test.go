package openrouter_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/openrouter"
)

// raw starts a provider that reads one request and then calls answer with the
// connection.
func raw(t *testing.T, answer func(conn *net.TCPConn) error) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			done <- err
			return
		}
		defer func() { _ = conn.Close() }()
		request, err := http.ReadRequest(bufio.NewReader(conn))
		if err == nil {
			_, err = io.Copy(io.Discard, request.Body)
		}
		if tcp, ok := conn.(*net.TCPConn); ok && err == nil {
			err = answer(tcp)
		}
		done <- err
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		if err := <-done; err != nil {
			t.Errorf("the stand-in provider: %v", err)
		}
	})
	return "http://" + listener.Addr().String()
}

const head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

func framed(text string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(text), text) }

func TestBrokenConnections(t *testing.T) {
	t.Parallel()
	reset := func(conn *net.TCPConn) error { return conn.SetLinger(0) }
	for _, want := range []struct {
		name string
		sent string
		end  func(*net.TCPConn) error
		kind chat.UpstreamKind
		text string
	}{
		{"before the header", "", nil, chat.UpstreamUnreachable, ""},
		{"within the header", head[:40], nil, chat.UpstreamUnreachable, ""},
		{"no HTTP", "zebra\r\n\r\n", nil, chat.UpstreamUnreachable, ""},
		{"a header too long", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat(said, 1<<15) + "\r\n\r\n", nil, chat.UpstreamUnreachable, ""},
		{"before the first byte", head, nil, chat.UpstreamUnreachable, ""},
		{"after an event", head + framed(textEvent), nil, chat.UpstreamBroken, "word "},
		{"within an event", head + framed(textEvent+textEvent[:50]), nil, chat.UpstreamBroken, "word "},
		{"broken framing", head + framed(textEvent) + "zebra\r\n", nil, chat.UpstreamBroken, "word "},
		{"within a body of known length", "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + textEvent, nil, chat.UpstreamBroken, "word "},
		{"within JSON", head + framed(`{"choices":[`), nil, chat.UpstreamBroken, ""},
		{"after finish_reason", head + framed(textEvent+stopEvent), nil, "", "word "},
		{"reset before the header", "", reset, chat.UpstreamUnreachable, ""},
	} {
		t.Run(want.name, func(t *testing.T) {
			t.Parallel()
			url := raw(t, func(conn *net.TCPConn) error {
				if want.end != nil {
					if err := want.end(conn); err != nil {
						return err
					}
				}
				_, _ = io.WriteString(conn, want.sent) // the client may have had enough
				return nil
			})
			result := ask(t.Context(), t, client(t, url))
			if want.kind != "" {
				checkFailure(t, result.err, want.kind, 0)
			} else if result.err != nil {
				t.Error(result.err)
			}
			if result.text != want.text {
				t.Errorf("text %q, want %q", result.text, want.text)
			}
		})
	}
}

func TestResetInTheStream(t *testing.T) {
	t.Parallel()
	had := make(chan struct{})
	url := raw(t, func(conn *net.TCPConn) error {
		if _, err := io.WriteString(conn, head+framed(textEvent)); err != nil {
			return err
		}
		<-had
		return conn.SetLinger(0)
	})
	stream, err := client(t, url).Stream(t.Context(), asked())
	if err != nil {
		t.Fatal(err)
	}
	if chunk, err := next(stream); err != nil || chunk.Text != "word " {
		t.Fatalf("%+v, %v", chunk, err)
	}
	close(had)
	for range 2 {
		_, err = next(stream)
		checkFailure(t, err, chat.UpstreamBroken, 0)
	}
	if err := stream.Close(); err != nil {
		t.Error(err)
	}
}

func TestConnectionRefused(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(nil)
	server.Close()
	result := ask(t.Context(), t, client(t, server.URL))
	checkFailure(t, result.err, chat.UpstreamUnreachable, 0)
	if !strings.Contains(result.err.Error(), "refused") {
		t.Errorf("%q does not say what happened", result.err)
	}
}

func TestTLSErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	plain := upstream(t, func(http.ResponseWriter, *http.Request) {})
	secure := httptest.NewUnstartedServer(nil)
	secure.Config.ErrorLog = quiet()
	secure.StartTLS()
	t.Cleanup(secure.Close)
	for url, word := range map[string]string{
		strings.Replace(plain.URL, "http:", "https:", 1): "scheme",
		secure.URL: "certificate",
	} {
		result := ask(t.Context(), t, client(t, url))
		checkFailure(t, result.err, chat.UpstreamUnreachable, 0)
		if !strings.Contains(result.err.Error(), word) {
			t.Errorf("%q does not name the %s", result.err, word)
		}
	}
}

func TestLongEventsAreBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("z", 4<<10)
	for name, sent := range map[string]struct{ start, again string }{
		"data":            {textEvent + "data: ", long},
		"comment":         {textEvent + ": ", long},
		"no field":        {textEvent, long},
		"many data lines": {textEvent, "data: " + long + "\n"},
		"JSON":            {`{"choices":[],"x":"`, long},
		"white space":     {"", strings.Repeat(" \n", 2<<10)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			left := make(chan struct{})
			server := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
				defer close(left)
				_, err := io.WriteString(w, sent.start)
				for size := 0; err == nil && size < 64<<20; size += len(sent.again) {
					_, err = io.WriteString(w, sent.again)
				}
				if err == nil {
					t.Error("64 MiB of one event were taken")
				}
			})
			result := ask(t.Context(), t, client(t, server.URL))
			checkFailure(t, result.err, chat.UpstreamBroken, 0)
			<-left
		})
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	other := upstream(t, func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the other host was asked, with key: %v", r.Header.Get("Authorization") != "")
	})
	for _, status := range []int{301, 302, 303, 307, 308} {
		server := upstream(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, status) })
		c := client(t, server.URL)
		result := ask(t.Context(), t, c)
		checkFailure(t, result.err, chat.UpstreamBadRequest, status)
		_, err := c.CheckKey(t.Context())
		checkFailure(t, err, chat.UpstreamBadRequest, status)
	}
}

// counted starts a provider that counts its connections.
func counted(t *testing.T, handler http.HandlerFunc) (string, *atomic.Int64) {
	t.Helper()
	var conns atomic.Int64
	server := httptest.NewUnstartedServer(handler)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	return server.URL, &conns
}

func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	tries := 0
	url, conns := counted(t, func(w http.ResponseWriter, r *http.Request) {
		if tries++; tries%2 == 0 {
			refuse(w, r, http.StatusBadRequest, "")
			return
		}
		send(t, w, textEvent+stopEvent+doneEvent)
	})
	c := client(t, url)
	for range 10 {
		ask(t.Context(), t, c)
	}
	if n := conns.Load(); n != 1 {
		t.Errorf("%d connections for ten answers one after another, want 1", n)
	}
}

// The end of the chunked body arrives after [DONE], while Close runs.
func TestConnectionIsReusedIfTheBodyEndsSoon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var dials atomic.Int64
		count := func(o *openrouter.Options) {
			dial := o.Dial
			o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				dials.Add(1)
				return dial(ctx, network, address)
			}
		}
		closing := make(chan struct{})
		c, end := inMemory(t, func(w http.ResponseWriter, _ *http.Request) {
			send(t, w, textEvent+stopEvent+doneEvent)
			<-closing
			time.Sleep(10 * time.Millisecond)
		}, count)
		defer end()
		for range 3 {
			stream, err := c.Stream(t.Context(), asked())
			if err != nil {
				t.Fatal(err)
			}
			read(t, stream)
			closing <- struct{}{}
			if err := stream.Close(); err != nil {
				t.Error(err)
			}
		}
		if n := dials.Load(); n != 1 {
			t.Errorf("%d connections for three answers one after another, want 1", n)
		}
	})
}

func TestManyStreams(t *testing.T) {
	t.Parallel()
	url, _ := counted(t, func(w http.ResponseWriter, r *http.Request) {
		for range 20 {
			send(t, w, textEvent)
		}
		if r.Header.Get("Authorization") == "" {
			t.Error("no key")
		}
		send(t, w, stopEvent+doneEvent)
	})
	c := client(t, url)
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if result := ask(t.Context(), t, c); result.err != nil || len(result.text) != 20*len("word ") {
				t.Errorf("text %q, error %v", result.text, result.err)
			}
		})
	}
	all.Wait()
}

// The bound is for a busy machine. Tests with synctest check that it takes no time.
func TestCancelReachesTheServer(t *testing.T) {
	t.Parallel()
	for _, sent := range []string{"", comment, textEvent} {
		began, left := make(chan struct{}), make(chan struct{})
		server := upstream(t, func(w http.ResponseWriter, r *http.Request) {
			if sent != "" {
				send(t, w, sent)
			}
			done := gone(r)
			close(began)
			<-done
			close(left)
		})
		ctx, cancel := context.WithCancel(t.Context())
		c := client(t, server.URL)
		result := make(chan got, 1)
		go func() { result <- ask(ctx, t, c) }()
		<-began
		cancel()
		start := time.Now()
		select {
		case <-left:
			t.Logf("upstream saw the end after %v", time.Since(start))
		case <-time.After(5 * time.Second):
			t.Fatal("upstream did not see the end")
		}
		if r := <-result; !errors.Is(r.err, context.Canceled) {
			t.Errorf("error %v", r.err)
		}
	}
}

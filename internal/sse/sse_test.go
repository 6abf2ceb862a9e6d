package sse_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/sse"
)

func TestFraming(t *testing.T) {
	t.Parallel()
	recorder := httptest.NewRecorder()
	out := sse.NewWriter(time.Second)
	out.Open(recorder)
	out.ID(42)
	out.Begin()
	out.Buffer().WriteString(`{"a":1}`)
	out.End()
	out.Comment("keep-alive")
	out.Data("[DONE]")
	if recorder.Body.Len() != 0 {
		t.Errorf("%q was sent before Flush", recorder.Body)
	}
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	if got, want := recorder.Body.String(), "id: 42\ndata: {\"a\":1}\n\n: keep-alive\n\ndata: [DONE]\n\n"; got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
	if out.Buffered() != 0 {
		t.Errorf("%d bytes are left after Flush", out.Buffered())
	}
	for name, want := range map[string]string{
		"Content-Type": "text/event-stream", "Cache-Control": "no-cache", "X-Accel-Buffering": "no",
	} {
		if got := recorder.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// serve runs a handler on a server with a read timeout.
func serve(t *testing.T, readTimeout time.Duration, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ReadTimeout = readTimeout
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

// TestStreamOutlivesReadTimeout checks that the server's read timeout does not end a
// stream.
func TestStreamOutlivesReadTimeout(t *testing.T) {
	t.Parallel()
	const readTimeout = 50 * time.Millisecond
	url := serve(t, readTimeout, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		out := sse.NewWriter(time.Minute)
		out.Open(w)
		out.Data("first")
		if err := out.Flush(); err != nil {
			t.Error(err)
		}
		select {
		case <-r.Context().Done():
			t.Error("the read timeout ended the request's context")
		case <-time.After(4 * readTimeout):
		}
		out.Data("last")
		if err := out.Flush(); err != nil {
			t.Error(err)
		}
	})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if got, want := string(body), "data: first\n\ndata: last\n\n"; got != want || err != nil {
		t.Errorf("read %q and %v, want %q", got, err, want)
	}
}

// TestFlushToStuckClient checks that Flush fails within the timeout if the client has
// stopped reading.
func TestFlushToStuckClient(t *testing.T) {
	t.Parallel()
	failed := make(chan error, 1)
	url := serve(t, 0, func(w http.ResponseWriter, _ *http.Request) {
		out := sse.NewWriter(100 * time.Millisecond)
		out.Open(w)
		for {
			out.Data(strings.Repeat("x", 1<<16))
			if err := out.Flush(); err != nil {
				failed <- err
				return
			}
		}
	})
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: test\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(conn).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-failed:
		var netErr net.Error
		if !errors.As(err, &netErr) || !netErr.Timeout() {
			t.Errorf("Flush failed with %v, want a time-out", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("a reader that stopped reading was not noticed")
	}
}

package openrouter

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// overHTTP2 starts a provider that speaks HTTP/2, as OpenRouter does, and a
// client that trusts its certificate.
func overHTTP2(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	c, err := New(Options{BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	trusting, ok := server.Client().Transport.(*http.Transport)
	if !ok {
		t.Fatal("no transport")
	}
	c.transport.TLSClientConfig = trusting.TLSClientConfig
	t.Cleanup(c.CloseIdle)
	return c
}

func TestHTTP2(t *testing.T) {
	t.Parallel()
	left := make(chan struct{})
	c := overHTTP2(t, func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("spoke %s", r.Proto)
		}
		_, _ = io.WriteString(w, `data: {"choices":[{"delta":{"content":"word"}}]}`+"\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(left)
	})
	stream, err := c.Stream(t.Context(), chat.ModelRequest{Model: "m"})
	if err != nil {
		t.Fatal(err)
	}
	var chunk chat.Chunk
	if err := stream.Next(&chunk); err != nil || chunk.Text != "word" {
		t.Errorf("%+v, %v", chunk, err)
	}
	if err := stream.Close(); err != nil {
		t.Error(err)
	}
	select {
	case <-left:
	case <-time.After(5 * time.Second):
		t.Error("upstream did not see the end")
	}
}

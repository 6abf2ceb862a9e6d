package openrouter

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

const (
	deltas = 1000
	delta  = `data: {"id":"gen-1761054747-aRXhxlwVNm3mtTObq3p8","provider":"OpenAI","model":"openai/gpt-5","object":"chat.completion.chunk","created":1761054747,` +
		`"choices":[{"index":0,"delta":{"role":"assistant","content":" word%d"},"finish_reason":null,"native_finish_reason":null,"logprobs":null}]%s}` + "\n\n"
	lastEvents = `data: {"choices":[{"index":0,"delta":{"content":""},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n"
)

// body returns a stream of deltas with extra as an additional field of each.
func body(extra func(int) string) []byte {
	var b bytes.Buffer
	for i := range deltas {
		fmt.Fprintf(&b, delta, i, extra(i))
	}
	b.WriteString(lastEvents)
	return b.Bytes()
}

// BenchmarkParse parses streams in memory; ns/op is for a stream of 1,000 deltas.
func BenchmarkParse(b *testing.B) {
	for name, stream := range map[string][]byte{
		"alike":         body(func(int) string { return "" }),
		"all different": body(func(i int) string { return fmt.Sprintf(`,"obfuscation":"%d"`, i*i) }),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(stream)))
			for b.Loop() {
				a := newAnswer(&pieces{stream, 1200})
				if err := a.open(); err != nil {
					b.Fatal(err)
				}
				count := 0
				var chunk chat.Chunk
				for {
					err := a.next(&chunk)
					if errors.Is(err, io.EOF) {
						break
					}
					if err != nil {
						b.Fatal(err)
					}
					count += min(len(chunk.Text), 1)
				}
				if count != deltas {
					b.Fatal(count)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*deltas), "ns/delta")
		})
	}
}

// provider is a provider that flushes each delta.
func provider(b *testing.B) *httptest.Server {
	b.Helper()
	event := fmt.Appendf(nil, delta, 7, "")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		flush := http.NewResponseController(w).Flush
		for range deltas {
			_, _ = w.Write(event)
			_ = flush()
		}
		_, _ = io.WriteString(w, lastEvents)
	}))
	b.Cleanup(server.Close)
	return server
}

// relay writes each delta separately, as an API adapter does.
func relay(c *Client) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		stream, err := c.Stream(r.Context(), chat.ModelRequest{Model: "m"})
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer func() { _ = stream.Close() }()
		flush := http.NewResponseController(w).Flush
		line := make([]byte, 0, 512)
		var chunk chat.Chunk
		for {
			if stream.Next(&chunk) != nil {
				return
			}
			line = append(line[:0], "data: {\"type\":\"thread.item.updated\",\"delta\":\""...)
			line = append(append(line, chunk.Text...), "\"}\n\n"...)
			_, _ = w.Write(line)
			_ = flush()
		}
	}
}

// BenchmarkOverLoopback compares for streams of 1,000 deltas: reading the body
// without parsing, this client, a bare reverse proxy, and this client in a handler
// that relays the deltas.
func BenchmarkOverLoopback(b *testing.B) {
	source := provider(b)
	c, err := New(Options{BaseURL: source.URL})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.CloseIdle)
	target, err := url.Parse(source.URL)
	if err != nil {
		b.Fatal(err)
	}
	proxy := httptest.NewServer(httputil.NewSingleHostReverseProxy(target))
	b.Cleanup(proxy.Close)
	relayed := httptest.NewServer(relay(c))
	b.Cleanup(relayed.Close)

	b.Run("body", func(b *testing.B) { get(b, source.URL) })
	b.Run("client", func(b *testing.B) {
		for b.Loop() {
			stream, err := c.Stream(b.Context(), chat.ModelRequest{Model: "m"})
			if err != nil {
				b.Fatal(err)
			}
			var chunk chat.Chunk
			for err == nil {
				err = stream.Next(&chunk)
			}
			if !errors.Is(err, io.EOF) {
				b.Fatal(err)
			}
			_ = stream.Close()
		}
		b.ReportMetric(float64(b.N*deltas)/b.Elapsed().Seconds(), "deltas/s")
	})
	b.Run("proxy", func(b *testing.B) { get(b, proxy.URL) })
	b.Run("relay", func(b *testing.B) { get(b, relayed.URL) })
}

func get(b *testing.B, from string) {
	b.Helper()
	for b.Loop() {
		req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, from, http.NoBody)
		if err != nil {
			b.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		lines := 0
		for scan := bufio.NewScanner(resp.Body); scan.Scan(); {
			lines++
		}
		_ = resp.Body.Close()
		if lines < deltas {
			b.Fatal(lines)
		}
	}
	b.ReportMetric(float64(b.N*deltas)/b.Elapsed().Seconds(), "deltas/s")
}

// BenchmarkRequestBody encodes a history of 40 messages of some 600 bytes each.
func BenchmarkRequestBody(b *testing.B) {
	req := chat.ModelRequest{Model: "m"}
	for n := range 40 {
		role := []chat.Role{chat.RoleUser, chat.RoleAssistant}[n%2]
		text := strings.Repeat("The quick brown fox, \"quoted\", jumps\nover 50 lazy dogs. ", 11)
		req.Messages = append(req.Messages, chat.Message{Role: role, Content: text})
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := requestBody(req, &Options{MaxTokens: 8192}); err != nil {
			b.Fatal(err)
		}
	}
}

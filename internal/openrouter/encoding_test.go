package openrouter_test

import (
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// compressor is the interface of the writers of all encodings.
type compressor interface {
	io.WriteCloser
	Flush() error
}

// encodings returns a compressor for each Content-Encoding. Some servers
// send raw deflate data instead of the zlib format.
func encodings(t *testing.T) map[string]func(io.Writer) compressor {
	t.Helper()
	must := func(c compressor, err error) compressor {
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	return map[string]func(io.Writer) compressor{
		"gzip":         func(w io.Writer) compressor { return gzip.NewWriter(w) },
		"GZip":         func(w io.Writer) compressor { return gzip.NewWriter(w) },
		"deflate":      func(w io.Writer) compressor { return zlib.NewWriter(w) },
		"deflate bare": func(w io.Writer) compressor { c, err := flate.NewWriter(w, 9); return must(c, err) },
		"zstd":         func(w io.Writer) compressor { c, err := zstd.NewWriter(w); return must(c, err) },
	}
}

func contentEncoding(name string) string { return strings.TrimSuffix(name, " bare") }

// sendCompressed sends three deltas, each after the previous one was read.
func sendCompressed(t *testing.T, name string, compress func(io.Writer) compressor, read <-chan struct{}) http.HandlerFunc {
	t.Helper()
	return func(w http.ResponseWriter, r *http.Request) {
		if accepts := r.Header.Get("Accept-Encoding"); accepts != "" {
			t.Errorf("compression was asked for: %s", accepts)
		}
		w.Header().Set("Content-Encoding", contentEncoding(name))
		body := compress(w)
		write := func(text string) {
			_, err := io.WriteString(body, text)
			if err != nil || body.Flush() != nil || http.NewResponseController(w).Flush() != nil {
				t.Errorf("it could not be sent: %v", err)
			}
		}
		for range 3 {
			write(textEvent)
			select {
			case <-read:
			case <-time.After(10 * time.Second):
				t.Error("the delta was not read although it was flushed")
				return
			}
		}
		write(stopEvent + doneEvent)
		_ = body.Close() // The client needs no more.
	}
}

// TestCompressedAnswerIsStreamed checks that each delta of a compressed answer can be
// read before the next one is sent.
func TestCompressedAnswerIsStreamed(t *testing.T) {
	t.Parallel()
	for name, compress := range encodings(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			read := make(chan struct{})
			server := upstream(t, sendCompressed(t, name, compress, read))
			stream, err := client(t, server.URL).Stream(t.Context(), asked())
			if err != nil {
				t.Fatal(err)
			}
			defer stream.Close() //nolint:errcheck // the test is over
			for range 3 {
				if chunk, err := next(stream); err != nil || chunk.Text != "word " {
					t.Fatalf("%+v, %v", chunk, err)
				}
				read <- struct{}{}
			}
			if chunk, err := next(stream); err != nil || chunk.FinishReason != chat.FinishStop {
				t.Errorf("%+v, %v", chunk, err)
			}
		})
	}
}

// TestCompressedAnswerThatBreaks checks that a compressed answer which is incomplete,
// damaged or of an unknown encoding fails, and that the text before is kept.
func TestCompressedAnswerThatBreaks(t *testing.T) {
	t.Parallel()
	for name, compress := range encodings(t) {
		var whole strings.Builder
		body := compress(&whole)
		_, err := io.WriteString(body, textEvent)
		if err != nil || body.Flush() != nil {
			t.Fatal(err)
		}
		flushed := whole.Len()
		_, err = io.WriteString(body, textEvent+stopEvent+doneEvent)
		if err != nil || body.Close() != nil {
			t.Fatal(err)
		}
		for fault, sent := range map[string]struct{ body, text string }{
			"nothing": {"", ""},
			"cut":     {whole.String()[:flushed], "word "},
			"damaged": {whole.String()[:flushed] + strings.Repeat("\xff", 100), "word "},
			"plain":   {"\xff\xff" + textEvent + stopEvent + doneEvent, ""},
		} {
			t.Run(name+" "+fault, func(t *testing.T) {
				t.Parallel()
				server := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Encoding", contentEncoding(name))
					send(t, w, sent.body)
				})
				result := ask(t.Context(), t, client(t, server.URL))
				checkFailure(t, result.err, chat.UpstreamBroken, 0)
				if result.text != sent.text {
					t.Errorf("text %q, want %q", result.text, sent.text)
				}
			})
		}
	}
	server := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "zebra")
		send(t, w, textEvent+stopEvent+doneEvent)
	})
	result := ask(t.Context(), t, client(t, server.URL))
	checkFailure(t, result.err, chat.UpstreamBroken, 0)
	if !strings.Contains(result.err.Error(), "Content-Encoding") {
		t.Errorf("%q does not name the fault", result.err)
	}
}

// TestCompressedEventIsBounded checks that the decompressed size of an event is
// bounded.
func TestCompressedEventIsBounded(t *testing.T) {
	t.Parallel()
	for name, compress := range encodings(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Encoding", contentEncoding(name))
				body := compress(w)
				_, err := io.WriteString(body, textEvent+"data: ")
				zeros := strings.Repeat("0", 1<<20)
				for size := 0; err == nil && size < 64; size++ {
					_, err = io.WriteString(body, zeros)
				}
				_ = body.Close() // The client may have closed the connection.
			})
			checkFailure(t, ask(t.Context(), t, client(t, server.URL)).err, chat.UpstreamBroken, 0)
		})
	}
}

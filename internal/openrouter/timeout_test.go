package openrouter_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/openrouter"
)

const (
	firstByte = 20 * time.Second
	idle      = 7 * time.Second
)

func timeouts(o *openrouter.Options) { o.FirstByteTimeout, o.IdleTimeout = firstByte, idle }

// elapsed sends a request in a synctest bubble and returns the time that it took.
func elapsed(t *testing.T, handler http.HandlerFunc) (result got, took time.Duration) {
	t.Helper()
	c, end := inMemory(t, handler, timeouts)
	defer end()
	start := time.Now()
	result = ask(t.Context(), t, c)
	return result, time.Since(start)
}

func TestFirstByteTimeout(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]http.HandlerFunc{
		"no header": func(_ http.ResponseWriter, r *http.Request) { <-gone(r) },
		"no body": func(w http.ResponseWriter, r *http.Request) {
			send(t, w, "")
			<-gone(r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				result, took := elapsed(t, handler)
				checkFailure(t, result.err, chat.UpstreamTimeout, 0)
				if !result.refused || took != firstByte {
					t.Errorf("refused by Stream: %v, after %v; want %v", result.refused, took, firstByte)
				}
			})
		})
	}
}

// gone returns a channel that is closed when the client has disconnected. The server
// notices that only after it has read the body.
func gone(r *http.Request) <-chan struct{} {
	_, _ = io.Copy(io.Discard, r.Body)
	return r.Context().Done()
}

func TestIdleTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		result, took := elapsed(t, func(w http.ResponseWriter, r *http.Request) {
			send(t, w, textEvent)
			<-gone(r)
		})
		checkFailure(t, result.err, chat.UpstreamTimeout, 0)
		if result.text != "word " || took != idle {
			t.Errorf("text %q, after %v; want %v", result.text, took, idle)
		}
	})
}

func TestCommentsResetTheIdleTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		result, took := elapsed(t, func(w http.ResponseWriter, _ *http.Request) {
			for range 300 {
				send(t, w, comment)
				time.Sleep(idle - time.Second)
			}
			send(t, w, textEvent+stopEvent+doneEvent)
		})
		if result.err != nil || result.text != "word " || took < 300*(idle-time.Second) {
			t.Errorf("text %q, error %v, after %v", result.text, result.err, took)
		}
	})
}

func TestStreamOpensWithTheFirstComment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, end := inMemory(t, func(w http.ResponseWriter, _ *http.Request) {
			send(t, w, comment)
			time.Sleep(time.Second)
			send(t, w, `data: {"error":{"code":502,"message":"zebra"}}`+"\n\n")
		}, timeouts)
		defer end()
		start := time.Now()
		stream, err := c.Stream(t.Context(), asked())
		if err != nil || time.Since(start) != 0 {
			t.Fatalf("Stream: %v, after %v", err, time.Since(start))
		}
		result := read(t, stream)
		checkFailure(t, result.err, chat.UpstreamBusy, 502)
		if err := stream.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestSlowConsumerIsNoTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, end := inMemory(t, func(w http.ResponseWriter, _ *http.Request) {
			for range 50 {
				send(t, w, textEvent)
			}
			send(t, w, stopEvent+doneEvent)
		}, timeouts)
		defer end()
		stream, err := c.Stream(t.Context(), asked())
		if err != nil {
			t.Fatal(err)
		}
		var result got
		for {
			time.Sleep(2 * max(idle, firstByte))
			chunk, err := next(stream)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			result.add(t, chunk)
		}
		if result.finish != "stop" || len(result.text) != 50*len("word ") {
			t.Errorf("finish %q, %d bytes", result.finish, len(result.text))
		}
		if err := stream.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestSilenceAfterFinishReason checks that an answer is complete although the server
// keeps the connection open after it.
func TestSilenceAfterFinishReason(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		result, _ := elapsed(t, func(w http.ResponseWriter, r *http.Request) {
			send(t, w, textEvent+stopEvent)
			<-gone(r)
		})
		if result.err != nil || result.finish != "stop" {
			t.Errorf("finish %q, error %v", result.finish, result.err)
		}
	})
}

func TestCancelClosesTheConnection(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]func(t *testing.T, w http.ResponseWriter){
		"before the header": func(*testing.T, http.ResponseWriter) {},
		"before the first byte": func(t *testing.T, w http.ResponseWriter) {
			t.Helper()
			send(t, w, "")
		},
		"within the stream": func(t *testing.T, w http.ResponseWriter) {
			t.Helper()
			send(t, w, textEvent)
		},
		"within an event": func(t *testing.T, w http.ResponseWriter) {
			t.Helper()
			send(t, w, textEvent+textEvent[:30])
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				left := make(chan time.Time, 1)
				c, end := inMemory(t, func(w http.ResponseWriter, r *http.Request) {
					handler(t, w)
					<-gone(r)
					left <- time.Now()
				}, timeouts)
				defer end()
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(3*time.Second, cancel)
				start := time.Now()
				result := ask(ctx, t, c)
				if !errors.Is(result.err, context.Canceled) {
					t.Errorf("error %v, want the context's", result.err)
				}
				if at := <-left; at.Sub(start) != 3*time.Second {
					t.Errorf("upstream saw the end after %v", at.Sub(start))
				}
			})
		})
	}
}

func TestDeadlineErrorIsTheContexts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, end := inMemory(t, func(w http.ResponseWriter, r *http.Request) {
			send(t, w, textEvent)
			<-gone(r)
		}, timeouts)
		defer end()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if result := ask(ctx, t, c); !errors.Is(result.err, context.DeadlineExceeded) || result.text != "word " {
			t.Errorf("text %q, error %v", result.text, result.err)
		}
	})
}

func TestCloseClosesTheConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		left := make(chan time.Time, 1)
		c, end := inMemory(t, func(w http.ResponseWriter, r *http.Request) {
			send(t, w, textEvent)
			<-gone(r)
			left <- time.Now()
		}, timeouts)
		defer end()
		start := time.Now()
		stream, err := c.Stream(t.Context(), asked())
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := stream.Close(); err != nil {
				t.Error(err)
			}
		}
		if at := <-left; at != start {
			t.Errorf("upstream saw the end after %v", at.Sub(start))
		}
		if _, err := next(stream); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("Next after Close: %v", err)
		}
	})
}

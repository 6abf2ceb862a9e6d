package mcp

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"
)

// TestServerDiesDuringCall: a call whose server dies fails soon, long before its
// time-out, whatever the server had sent of its answer.
func TestServerDiesDuringCall(t *testing.T) {
	t.Parallel()
	for name, begun := range map[string]struct{ kind, text string }{
		"no answer":         {},
		"part of JSON":      {"application/json", `{"jsonrpc":"2.0",`},
		"stream":            {eventStream, "data:\n\n"},
		"resumable stream":  {eventStream, "id: 1\ndata:\n\n"},
		"part of an answer": {eventStream, "id: 1\ndata:\n\nid: 2\ndata: {\"jsonrpc\":"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			arrived, die := make(chan struct{}), make(chan struct{})
			server, stop := fakeServer(t, fake{List: oneTool, Call: seen}, func(w http.ResponseWriter, _ *http.Request, message string) bool {
				if !isToolCall(message) {
					return false
				}
				if begun.kind != "" {
					writePart(w, begun.kind, begun.text)
				}
				close(arrived)
				<-die
				panic(http.ErrAbortHandler)
			})
			b := open(t, server)
			go func() {
				<-arrived
				stop()
				close(die)
			}()
			began := time.Now()
			b.wantFailed("look", "", "broke during the call", "not known whether the tool did its work")
			if took := time.Since(began); took > patience/5 {
				t.Errorf("the call took %s", took)
			}
		})
	}
}

// TestCutStreamIsResumed: a stream that is cut before the answer is resumed after
// the last event that arrived whole, and the tool is called once. A server that
// answers a resumption late, as behind a proxy that has lost it for a moment, is
// asked again.
func TestCutStreamIsResumed(t *testing.T) {
	t.Parallel()
	f := fake{List: oneTool, Call: seen}
	for name, first := range map[string]string{
		"between events": "id: 1\ndata:\n\n",
		"in an event":    "id: 1\ndata:\n\nid: 2\ndata: {\"jsonrpc\":\"2.0\",",
		"in an id":       "id: 1\ndata:\n\nid: 1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls, resumptions atomic.Int64
			var answer atomic.Value
			b := open(t, fakeHTTP(t, f, func(w http.ResponseWriter, r *http.Request, message string) bool {
				switch last := r.Header.Get(lastEventIDHeader); {
				case isToolCall(message):
					calls.Add(1)
					answer.Store(f.answer([]byte(message)))
					writePart(w, eventStream, first)
					panic(http.ErrAbortHandler)
				case last == "":
					return false
				case last != "1":
					t.Errorf("the stream is resumed after %q", last)
					return false
				}
				switch resumptions.Add(1) {
				case 1:
					w.WriteHeader(http.StatusBadGateway)
				case 2:
					panic(http.ErrAbortHandler)
				default:
					writePart(w, eventStream, fmt.Sprintf("id: 2\ndata: %s\n\n", answer.Load()))
				}
				return true
			}))
			b.want("look", "", "seen")
			if got := calls.Load(); got != 1 {
				t.Errorf("the tool was called %d times", got)
			}
			if strings.Contains(b.log.String(), "is not connected") {
				t.Error("the stream cost the connection")
			}
		})
	}
}

// TestCutStreamIsResumedSoon: the library waits for a second or two before it
// resumes a stream, unless the stream names a shorter time.
func TestCutStreamIsResumedSoon(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sent, want string
		cut        bool
	}{
		{"id: 1\n\n", "id: 1\n\nretry: 100\n\n", true},
		{"id: 1\nretry: 5000\n\n", "id: 1\nretry: 5000\n\n", true},
		{"id: 1\n\n", "id: 1\n\n", false},
	} {
		end := io.EOF
		if c.cut {
			end = io.ErrUnexpectedEOF
		}
		source := io.MultiReader(strings.NewReader(c.sent), iotest.ErrReader(end))
		got, err := io.ReadAll(newCallReader(source, &sanitizer{}, nil))
		if string(got) != c.want || c.cut != (err != nil) {
			t.Errorf("%q became %q, %v; want %q", c.sent, got, err, c.want)
		}
	}
}

// writePart writes a part of an answer, which the client receives at once.
func writePart(w http.ResponseWriter, kind, text string) {
	w.Header().Set("Content-Type", kind)
	_, _ = io.WriteString(w, text) // A client may disconnect.
	_ = http.NewResponseController(w).Flush()
}

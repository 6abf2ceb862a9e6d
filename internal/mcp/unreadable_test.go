package mcp

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// TestNoiseOnStdout: banners and debug lines between the messages are logged,
// and cost no call.
func TestNoiseOnStdout(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]fake{
		"lines":     {Before: "Fake server, key hunter2-hunter2\n\n", After: "[INFO] done\n{\"level\":\"debug\"}\n42\nnull\n"},
		"same line": {Before: "> "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f.List, f.Call = oneTool, seen
			server := fakeCommand(t, f)
			server.Hidden = []string{"hunter2-hunter2"}
			b := open(t, server)
			for range 3 {
				b.want("look", "", "seen")
			}
			log := b.log.String()
			if strings.Contains(log, "hunter2") || !strings.Contains(log, "source=stdout") {
				t.Error("the log has the secret, or not the lines")
			}
		})
	}
}

// TestStdoutLogIsLimited: a command that floods stdout does not flood the log.
func TestStdoutLogIsLimited(t *testing.T) {
	t.Parallel()
	b := open(t, fakeCommand(t, fake{List: oneTool, Call: seen, After: strings.Repeat("noise\n", 500)}))
	b.want("look", "", "seen")
	if lines := strings.Count(b.log.String(), "text=noise"); lines == 0 || lines > maxLinesPerWindow {
		t.Errorf("the log has %d lines, want %d at most", lines, maxLinesPerWindow)
	}
}

// TestUnreadableContent: what can be read of a result is passed on, and a note
// stands for the rest.
func TestUnreadableContent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		result, want string
		failed       bool
	}{
		"unknown type":      {result: `{"content":[{"type":"text","text":"a"},{"type":"video","url":"x"}]}`, want: "a\n[a part of the type \"video\", which cannot be read here]"},
		"unknown with text": {result: `{"content":[{"type":"card","text":"b"}]}`, want: "b\n[This part, of the type \"card\", could not be read completely.]"},
		"malformed part":    {result: `{"content":[{"type":"image","data":"%%%","mimeType":"image/png"},{"type":"text","text":"c"}]}`, want: "[a part of the type \"image\", which cannot be read here]\nc"},
		"malformed field":   {result: `{"content":[{"type":"text","text":"d","annotations":7}]}`, want: "d\n[This part, of the type \"text\", could not be read completely.]"},
		"text as a number":  {result: `{"content":[{"type":"text","text":5},"e",null]}`, want: "[a part of the type \"text\", which cannot be read here]\ne"},
		"content as text":   {result: `{"content":"f"}`, want: "f"},
		"a single part":     {result: `{"content":{"type":"text","text":"g"}}`, want: "g"},
		"no object":         {result: `"h"`, want: "h"},
		"isError as text":   {result: `{"content":[{"type":"text","text":"i"}],"isError":"true"}`, want: "i", failed: true},
		"malformed meta":    {result: `{"content":[{"type":"text","text":"j"}],"_meta":"x"}`, want: "j"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEachFake(t, fake{List: oneTool, Call: c.result}, func(t *testing.T, b box) {
				if got := b.call("look", ""); got != (chat.ToolResult{Text: c.want, Failed: c.failed}) {
					t.Errorf("the result is %+v, want %q, %t", got, c.want, c.failed)
				}
			})
		})
	}
}

// TestUnreadableTool: a tool with a field that cannot be read is offered
// without the field, or left out alone.
func TestUnreadableTool(t *testing.T) {
	t.Parallel()
	list := `{"tools":[
		{"name":"good","description":"Good.","inputSchema":{"type":"object"}},
		{"name":"icons","description":"Icons.","inputSchema":{"type":"object"},"icons":[{"src":"x","sizes":"48x48"}]},
		{"name":"described","description":7,"inputSchema":{"type":"object"}},
		{"name":8,"inputSchema":{"type":"object"}}, null, "text",
		{"name":"schema","inputSchema":"none"}], "nextCursor": null}`
	onEachFake(t, fake{List: strings.ReplaceAll(list, "\n", " "), Call: seen}, func(t *testing.T, b box) {
		if got, want := b.names(), []string{"tasks__described", "tasks__good", "tasks__icons"}; !slices.Equal(got, want) {
			t.Errorf("the tools are %q, want %q", got, want)
		}
		b.want("icons", "", "seen")
		if log := b.log.String(); !strings.Contains(log, "tool=icons") || !strings.Contains(log, "tool=schema") {
			t.Error("the log does not name the tools")
		}
	})
}

// TestMalformedError: an error that is no object reaches the model as a refusal.
func TestMalformedError(t *testing.T) {
	t.Parallel()
	server := fakeHTTP(t, fake{List: oneTool}, func(w http.ResponseWriter, _ *http.Request, message string) bool {
		return isToolCall(message) && writeJSON(w, http.StatusOK, fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"error":"out of milk"}`, idOf(message)))
	})
	open(t, server).wantFailed("look", "", "refused the call", "out of milk")
}

func isToolCall(message string) bool { return strings.Contains(message, `"tools/call"`) }

func idOf(message string) string {
	_, after, _ := strings.Cut(message, `"id":`)
	return after[:strings.IndexAny(after, ",}")]
}

func writeJSON(w http.ResponseWriter, status int, content string) bool {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, content) // A client may disconnect.
	return true
}

// TestHTTPRefusals: an error status tells the model whether the tool was
// called, and leaves the connection as it is.
func TestHTTPRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		words  []string
	}{
		"401":               {401, "", []string{"refused the call", "401 Unauthorized"}},
		"401 with a body":   {401, `{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"token expired"}}`, []string{"refused the call", "token expired"}},
		"403":               {403, "no", []string{"refused the call", "403"}},
		"429":               {429, "", []string{"refused the call", "429 Too Many Requests"}},
		"500 with a body":   {500, `{"jsonrpc":"2.0","id":null,"error":{"code":-32603,"message":"disk full"}}`, []string{"refused the call", "disk full"}},
		"400 with its id":   {400, `{"jsonrpc":"2.0","id":ID,"error":{"code":-32602,"message":"bad date"}}`, []string{"refused the call", "bad date"}},
		"500 without one":   {500, "oops", []string{"500 Internal Server Error", "not known"}},
		"502":               {502, "<html>", []string{"502 Bad Gateway", "not known"}},
		"200 with no JSON":  {200, "<html>", []string{"no JSON-RPC message", "not known"}},
		"200 of a web page": {-200, "<html>", []string{"text/html", "not known"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var refuse atomic.Bool
			server := fakeHTTP(t, fake{List: oneTool, Call: seen}, func(w http.ResponseWriter, _ *http.Request, message string) bool {
				if !isToolCall(message) || !refuse.Load() {
					return false
				}
				if c.status < 0 {
					w.Header().Set("Content-Type", "text/html")
					_, _ = io.WriteString(w, c.body) // A client may disconnect.
					return true
				}
				return writeJSON(w, c.status, strings.ReplaceAll(c.body, "ID", idOf(message)))
			})
			b := open(t, server)
			refuse.Store(true)
			b.wantFailed("look", "", c.words...)
			refuse.Store(false)
			b.want("look", "", "seen")
			if strings.Contains(b.log.String(), "is not connected") {
				t.Error("the refusal cost the connection")
			}
		})
	}
}

// TestUnknownSession: a server that has lost its sessions gets a new one, and
// the call is made again there, once.
func TestUnknownSession(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]struct {
		status int
		body   string
	}{
		"404":             {404, ""},
		"404 with a body": {404, `{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"Session not found"}}`},
		"404 with an id":  {404, `{"jsonrpc":"2.0","id":ID,"error":{"code":-32001,"message":"Session not found"}}`},
		"400":             {400, `{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Bad Request: No valid session ID provided"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var session, calls atomic.Int64
			server := fakeHTTP(t, fake{List: oneTool, Call: seen}, func(w http.ResponseWriter, r *http.Request, message string) bool {
				current := fmt.Sprint("s", session.Load())
				if strings.Contains(message, `"initialize"`) {
					w.Header().Set(sessionHeader, current)
				} else if got := r.Header.Get(sessionHeader); got != "" && got != current {
					return writeJSON(w, answer.status, strings.ReplaceAll(answer.body, "ID", "1"))
				}
				if isToolCall(message) {
					calls.Add(1)
				}
				return false
			})
			b := open(t, server)
			b.want("look", "", "seen")
			session.Add(1)
			b.want("look", "", "seen")
			if got := calls.Load(); got != 2 {
				t.Errorf("the tool was called %d times, want 2", got)
			}
		})
	}
}

// TestUnknownSessionRepeatsNoOtherCall: a call that the server has taken is not
// made again when another call finds that the session is unknown.
func TestUnknownSessionRepeatsNoOtherCall(t *testing.T) {
	t.Parallel()
	var forgotten atomic.Bool
	var slow atomic.Int64
	end := make(chan struct{})
	server := fakeHTTP(t, fake{List: oneTool, Call: seen}, func(w http.ResponseWriter, r *http.Request, message string) bool {
		switch {
		case strings.Contains(message, `"initialize"`):
			w.Header().Set(sessionHeader, fmt.Sprint("s", forgotten.Load()))
		case isToolCall(message) && strings.Contains(message, "slow"):
			slow.Add(1)
			<-end
		case forgotten.Load() && r.Header.Get(sessionHeader) == "sfalse":
			w.WriteHeader(http.StatusNotFound)
			return true
		}
		return false
	})
	b := open(t, server)
	result := make(chan chat.ToolResult, 1)
	go func() { result <- b.call("look", `{"speed":"slow"}`) }()
	until(t, "the slow call has arrived", func() bool { return slow.Load() == 1 })
	forgotten.Store(true)
	b.want("look", "", "seen")
	if got := <-result; !got.Failed || !strings.Contains(got.Text, "not known") {
		t.Errorf("the slow call gave %+v", got)
	}
	close(end)
	if got := slow.Load(); got != 1 {
		t.Errorf("the slow call was made %d times", got)
	}
}

// TestNoticesStream: whatever the optional stream of notices does, a call that
// is in progress gets its answer.
func TestNoticesStream(t *testing.T) {
	t.Parallel()
	for name, streams := range map[string][2]string{
		"not there when opened again": {": hello\n\n", ""},
		"heartbeat that is no JSON":   {"data: ping\n\nevent: message\ndata: {\"ping\":1}\n\n", "data: ping\n\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reopened, answer := make(chan struct{}), make(chan struct{})
			notices := serveNotices(streams, reopened)
			server := fakeHTTP(t, fake{List: oneTool, Call: seen}, func(w http.ResponseWriter, r *http.Request, message string) bool {
				if isToolCall(message) {
					<-answer
				}
				return r.Method == http.MethodGet && notices(w)
			})
			b := open(t, server)
			result := make(chan chat.ToolResult, 1)
			go func() { result <- b.call("look", "") }()
			<-reopened
			close(answer)
			if got := <-result; got.Failed || got.Text != "seen" {
				t.Errorf("the call gave %+v", got)
			}
			b.want("look", "", "seen")
			if strings.Contains(b.log.String(), "is not connected") {
				t.Error("the stream cost the connection")
			}
		})
	}
}

// serveNotices answers the first request for the stream of notices with the
// first text and later ones with the second; empty is no stream. It closes
// reopened at the second request.
func serveNotices(streams [2]string, reopened chan<- struct{}) func(w http.ResponseWriter) bool {
	var requests atomic.Int64
	return func(w http.ResponseWriter) bool {
		content := streams[0]
		if n := requests.Add(1); n > 1 {
			content = streams[1]
			if n == 2 {
				defer close(reopened)
			}
		}
		if content == "" {
			return false // The fake answers 405.
		}
		w.Header().Set("Content-Type", eventStream)
		_, _ = io.WriteString(w, content) // A client may disconnect.
		return true
	}
}

// TestHeartbeatInCallStream: a heartbeat in the stream of a call is skipped, and
// a notice there still counts.
func TestHeartbeatInCallStream(t *testing.T) {
	t.Parallel()
	f := fake{List: oneTool, Call: seen}
	server := fakeHTTP(t, f, func(w http.ResponseWriter, _ *http.Request, message string) bool {
		if !isToolCall(message) {
			return false
		}
		w.Header().Set("Content-Type", eventStream)
		_, _ = fmt.Fprintf(w, "data: ping\n\nid: 1\r\ndata:\r\n\r\n: comment\n\ndata: %s\n\n", f.answer([]byte(message)))
		return true
	})
	open(t, server).want("look", "", "seen")
}

// TestResumedStreamIsRefused: if the stream of one call cannot be resumed, that
// call alone is lost.
func TestResumedStreamIsRefused(t *testing.T) {
	t.Parallel()
	server := fakeHTTP(t, fake{List: oneTool, Call: seen}, func(w http.ResponseWriter, _ *http.Request, message string) bool {
		if !isToolCall(message) || !strings.Contains(message, "broken") {
			return false
		}
		w.Header().Set("Content-Type", eventStream)
		_, _ = io.WriteString(w, "id: 1\nretry: 1\ndata:\n\n") // A client may disconnect.
		return true
	})
	b := open(t, server)
	b.wantFailed("look", `{"stream":"broken"}`, "broke during the call")
	b.want("look", "", "seen")
	if strings.Contains(b.log.String(), "is not connected") {
		t.Error("the stream cost the connection")
	}
}

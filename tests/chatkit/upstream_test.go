//go:build chatkit

package chatkit_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// upstreamAnswer is an answer of the upstream: a stream of chunks, or a status
// and a body.
type upstreamAnswer struct {
	Status int             `json:"status"`
	Body   json.RawMessage `json:"body"`
	// Chunks are sent in order: a text is a comment line, "delta" and
	// "finish_reason" are put into a choice, every other object is sent with
	// the fields of all chunks. {"hang": true} waits until the client disconnects,
	// {"cut": true} closes the connection, {"await": "text"} waits until the
	// deltas that reached the client say this; all else ends with [DONE].
	Chunks []json.RawMessage `json:"chunks"`
}

// upstream replaces OpenRouter. It answers in the order of the step, whatever the
// request: the two servers send different requests.
type upstream struct {
	URL string

	mu      sync.Mutex
	answers []upstreamAnswer
	asked   []json.RawMessage
	said    string
	news    chan struct{} // closed and replaced when said changes
}

func newUpstream(t *testing.T) *upstream {
	t.Helper()
	u := &upstream{news: make(chan struct{})}
	ctx, end := context.WithCancel(context.Background())
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/chat/completions", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // The client has gone.
		}
		life, leave := context.WithCancel(ctx)
		defer context.AfterFunc(r.Context(), leave)()
		defer leave()
		u.answer(life, w, body)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(func() {
		end()
		server.CloseClientConnections()
		server.Close()
	})
	u.URL = server.URL + "/api/v1"
	return u
}

// prepare sets the answers of a step and forgets the earlier requests.
func (u *upstream) prepare(answers []upstreamAnswer) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.answers, u.asked, u.said = answers, nil, ""
}

// heard records the text that has reached the client.
func (u *upstream) heard(text string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.said = text
	close(u.news)
	u.news = make(chan struct{})
}

// await waits until a text has reached the client; false if the client disconnects
// or the test ends.
func (u *upstream) await(ctx context.Context, text string) bool {
	for {
		u.mu.Lock()
		said, news := u.said, u.news
		u.mu.Unlock()
		if said == text {
			return true
		}
		select {
		case <-news:
		case <-ctx.Done():
			return false
		}
	}
}

// requests returns the bodies of the requests since prepare.
func (u *upstream) requests() []json.RawMessage {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([]json.RawMessage(nil), u.asked...)
}

func (u *upstream) next(body []byte) (upstreamAnswer, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.asked = append(u.asked, body)
	if len(u.answers) == 0 {
		return upstreamAnswer{}, false
	}
	return u.answers[min(len(u.asked), len(u.answers))-1], true
}

// answer sends the next answer; ctx ends when the client disconnects.
func (u *upstream) answer(ctx context.Context, w http.ResponseWriter, body []byte) {
	answer, ok := u.next(body)
	if !ok {
		http.Error(w, `{"error":{"code":500,"message":"this step foresees no request"}}`, http.StatusInternalServerError)
		return
	}
	if answer.Status != 0 {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(answer.Status)
		_, _ = w.Write(answer.Body) // A client that has gone needs no answer.
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	controller := http.NewResponseController(w)
	for _, chunk := range answer.Chunks {
		var command command
		_ = json.Unmarshal(chunk, &command) // A comment is no command.
		if command.Cut {
			panic(http.ErrAbortHandler)
		}
		if command.Hang {
			<-ctx.Done()
			return
		}
		if command.Await != "" {
			if !u.await(ctx, command.Await) {
				return
			}
			continue
		}
		line := frame(chunk, body)
		if _, err := io.WriteString(w, line); err != nil || controller.Flush() != nil {
			return
		}
	}
	_, _ = io.WriteString(w, "data: [DONE]\n\n") // as above
}

// command is a chunk that is not sent.
type command struct {
	Hang  bool   `json:"hang"`
	Cut   bool   `json:"cut"`
	Await string `json:"await"`
}

// frame is a chunk as it is sent.
func frame(chunk json.RawMessage, request []byte) string {
	var comment string
	if json.Unmarshal(chunk, &comment) == nil {
		return ": " + comment + "\n\n"
	}
	var fields map[string]any
	if err := json.Unmarshal(chunk, &fields); err != nil {
		panic(fmt.Sprintf("a chunk of a scenario is no object: %s", chunk))
	}
	whole := map[string]any{
		"id": "gen-1763888888-test", "object": "chat.completion.chunk", "created": 1763888888,
		"provider": "Test", "model": "test/model",
	}
	delta, hasDelta := fields["delta"]
	reason, hasReason := fields["finish_reason"]
	if !hasDelta {
		delta = map[string]any{"role": "assistant", "content": ""}
	}
	if hasDelta || hasReason || fields["choices"] == nil {
		whole["choices"] = []any{map[string]any{"index": 0, "delta": delta, "finish_reason": reason}}
		delete(fields, "delta")
		delete(fields, "finish_reason")
	}
	maps.Copy(whole, fields)
	data, err := json.Marshal(whole)
	if err != nil {
		panic(err) // It was JSON a moment ago.
	}
	return "data: " + toolNames(string(data), request) + "\n\n"
}

var toolPlaceholder = regexp.MustCompile(`\{tool:(\w+)\}`)

// toolNames replaces {tool:x} by the name under which the request offers the tool
// x: a server may prefix it with the name of an MCP server.
func toolNames(text string, request []byte) string {
	var body struct {
		Tools []struct {
			Function struct {
				Name string `json:"name"`
			} `json:"function"`
		} `json:"tools"`
	}
	_ = json.Unmarshal(request, &body) // A body that is none offers no tools.
	return toolPlaceholder.ReplaceAllStringFunc(text, func(placeholder string) string {
		name := toolPlaceholder.FindStringSubmatch(placeholder)[1]
		for _, tool := range body.Tools {
			if strings.HasSuffix(tool.Function.Name, name) {
				return tool.Function.Name
			}
		}
		return name
	})
}

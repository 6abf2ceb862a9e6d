package demo_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/demo"
)

type said struct {
	Role    string `json:"role"`
	Content any    `json:"content"`
}

func user(text string) said      { return said{"user", text} }
func assistant(text string) said { return said{"assistant", text} }

type event struct {
	ID       string `json:"id"`
	Provider string `json:"provider"`
	Model    string `json:"model"`
	Object   string `json:"object"`
	Created  int64  `json:"created"`
	Choices  []struct {
		Delta struct {
			Role    string `json:"role"`
			Content string `json:"content"`

			Reasoning string `json:"reasoning"`
			Details   []struct {
				Type string `json:"type"`
				Text string `json:"text"`
			} `json:"reasoning_details"`
			ToolCalls []struct {
				Index    int    `json:"index"`
				ID       string `json:"id"`
				Type     string `json:"type"`
				Function struct {
					Name      string `json:"name"`
					Arguments string `json:"arguments"`
				} `json:"function"`
			} `json:"tool_calls"`
		} `json:"delta"`
		FinishReason *string `json:"finish_reason"`
	} `json:"choices"`
	Usage *struct {
		Prompt     int      `json:"prompt_tokens"`
		Completion int      `json:"completion_tokens"`
		Total      int      `json:"total_tokens"`
		Cost       *float64 `json:"cost"`
	} `json:"usage"`
	Error *struct {
		Code    any    `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// answer is a stream as it was read.
type answer struct {
	status   int
	header   http.Header
	comments []string
	events   []event
	done     bool
	err      error
}

func (a answer) text() string {
	var all strings.Builder
	for _, e := range a.events {
		all.WriteString(e.Choices[0].Delta.Content)
	}
	return all.String()
}

func (a answer) finish() string {
	for _, e := range a.events {
		if reason := e.Choices[0].FinishReason; reason != nil {
			return *reason
		}
	}
	return ""
}

func start(t *testing.T, options demo.Options) *demo.Server {
	t.Helper()
	server, err := demo.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

// exchange is an answer whose body is still to be read. The test closes it at
// its end.
type exchange struct {
	status int
	header http.Header
	body   io.Reader
}

func post(ctx context.Context, t *testing.T, server *demo.Server, key, body string) exchange {
	t.Helper()
	return send(ctx, t, http.MethodPost, server.URL()+"/chat/completions", key, strings.NewReader(body))
}

func get(t *testing.T, server *demo.Server, path, key string) exchange {
	t.Helper()
	return send(t.Context(), t, http.MethodGet, server.URL()+path, key, nil)
}

func send(ctx context.Context, t *testing.T, method, url, key string, body io.Reader) exchange {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	// A connection of its own leaves nothing behind for goleak.
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return exchange{response.StatusCode, response.Header, response.Body}
}

func body(t *testing.T, messages ...said) string {
	t.Helper()
	data, err := json.Marshal(map[string]any{"model": "some/model", "stream": true, "messages": messages})
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// ask sends messages and reads the whole stream, complete or not.
func ask(t *testing.T, server *demo.Server, messages ...said) answer {
	t.Helper()
	return askWith(t, server, body(t, messages...))
}

func askWith(t *testing.T, server *demo.Server, request string) answer {
	t.Helper()
	response := post(t.Context(), t, server, server.Key(), request)
	got := answer{status: response.status, header: response.header}
	lines := bufio.NewScanner(response.body)
	for lines.Scan() {
		line := lines.Text()
		data, isData := strings.CutPrefix(line, "data: ")
		switch {
		case line == "":
		case strings.HasPrefix(line, ":"):
			got.comments = append(got.comments, line)
		case isData && data == "[DONE]":
			got.done = true
		case isData:
			var e event
			if err := json.Unmarshal([]byte(data), &e); err != nil {
				t.Fatalf("event %s: %v", data, err)
			}
			got.events = append(got.events, e)
		default:
			t.Fatalf("line %q is not of an event stream", line)
		}
	}
	got.err = lines.Err()
	return got
}

// reply is the text of a complete answer that is not the first.
func reply(t *testing.T, server *demo.Server, messages ...said) string {
	t.Helper()
	got := ask(t, server, append([]said{user("hello"), assistant("Hello!")}, messages...)...)
	if got.err != nil || !got.done || got.finish() != "stop" {
		t.Fatalf("the answer is not complete: error %v, done %v, finish reason %q", got.err, got.done, got.finish())
	}
	return got.text()
}

type failure struct {
	Error struct {
		Code     any            `json:"code"`
		Message  string         `json:"message"`
		Metadata map[string]any `json:"metadata"`
	} `json:"error"`
}

func readFailure(t *testing.T, response exchange) failure {
	t.Helper()
	if got := response.header.Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type is %q", got)
	}
	data, err := io.ReadAll(response.body)
	if err != nil {
		t.Fatal(err)
	}
	var f failure
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	if want := strconv.Itoa(response.status); fmt.Sprint(f.Error.Code) != want || f.Error.Message == "" {
		t.Errorf("error %s: want code %s and a message", data, want)
	}
	return f
}

package protocol_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// recorder is an MCP server with the tool "look", which records the arguments of
// its calls as they arrive.
type recorder struct {
	url string

	mu        sync.Mutex
	arguments []string
}

func newRecorder(t *testing.T) *recorder {
	t.Helper()
	r := &recorder{}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

// take returns the arguments of the calls since the last take.
func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.arguments
	r.arguments = nil
	return taken
}

// ServeHTTP implements [http.Handler].
func (r *recorder) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	if request.Method != http.MethodPost {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	var message struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
		Params struct {
			Arguments json.RawMessage `json:"arguments"`
		} `json:"params"`
	}
	if err := json.NewDecoder(request.Body).Decode(&message); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer := object{"jsonrpc": "2.0", "id": message.ID}
	switch message.Method {
	case "initialize":
		answer["result"] = object{
			"protocolVersion": "2025-06-18", "capabilities": object{"tools": object{}}, "serverInfo": object{"name": "recorder", "version": "1"},
		}
	case "tools/list":
		answer["result"] = object{"tools": []any{object{"name": "look", "inputSchema": object{"type": "object"}}}}
	case "tools/call":
		r.mu.Lock()
		r.arguments = append(r.arguments, string(message.Params.Arguments))
		r.mu.Unlock()
		answer["result"] = object{"content": []any{object{"type": "text", "text": "Rain."}}}
	default:
		if message.ID == nil {
			w.WriteHeader(http.StatusAccepted)
			return
		}
		answer["error"] = object{"code": -32601, "message": "unknown method"}
	}
	raw, err := json.Marshal(answer)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(raw) // The client may have disconnected.
}

// writtenCall is a call with the arguments that a model wrote.
type writtenCall struct {
	written string
	// received is what the tool and the history have; empty where the call is not
	// made.
	received string
	// fault is part of the result of a call that is not made.
	fault string
}

// TestToolArguments checks what becomes of the arguments that a model writes: what
// the tool receives, what the history shows, and what the model is sent next. A
// call whose arguments cannot be read in one way is not made.
func TestToolArguments(t *testing.T) {
	t.Parallel()
	const whole = `{"city":"Paris","note":"a {b} <c>"}`
	calls := map[string]writtenCall{
		"an object":          {written: whole, received: whole},
		"nothing":            {received: `{}`},
		"null":               {written: " null\n", received: `{}`},
		"an empty one first": {written: "{}" + whole, received: whole},
		"an empty one last":  {written: whole + "{}", received: whole},
		"twice":              {written: whole + "\n" + whole, received: whole},
		"raw line ends":      {written: "{\"a\":\"two\nlines\t\\\"x\"}", received: `{"a":"two\u000alines\u0009\"x"}`},
		"in tags":            {written: "<tool_call>\n" + whole + "</tool_call>", received: whole},
		"in a fence":         {written: "```json\n" + whole + "\n```", received: whole},
		"in a string":        {written: `"{\"city\":\"Paris\"}"`, received: `{"city":"Paris"}`},
		"text of any script": {written: `{"city":"Zürich 🎉","b":"\ud83c\udf89"}`, received: `{"city":"Zürich 🎉","b":"\ud83c\udf89"}`},
		"a NUL":              {written: "{\"a\":\"b\x00c\"}", received: "{\"a\":\"b\ufffdc\"}"},
		"cut off":            {written: `{"city":"Par`, fault: "ends too early"},
		"no quotes":          {written: `{city:"Paris"}`, fault: "not valid JSON"},
		"no JSON":            {written: `Paris`, fault: "not valid JSON"},
		"a list":             {written: `["Paris"]`, fault: "not an object"},
		"a number":           {written: `7`, fault: "not an object"},
		"two objects":        {written: `{"a":1}{"a":2}`, fault: "more than one object"},
		"deep":               {written: `{"a":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "}", fault: "nested deeper"},
	}
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		tool := newRecorder(t)
		path := writeFile(t, object{"mcpServers": object{"notes": object{"url": tool.url}}})
		server := harness.Start(t, harness.Options{
			Database: database, Env: map[string]string{"MCP_SERVERS": path, "RATE_LIMIT_PER_MINUTE": "0", "MAX_SESSIONS_PER_USER": "100"},
		})
		user := server.User(t)
		for name, call := range calls {
			call.check(t, name, user, server.Upstream, tool)
		}
	})
}

// check has the model make the call, and checks what becomes of it.
func (c writtenCall) check(t *testing.T, name string, user *harness.User, upstream *harness.Upstream, tool *recorder) {
	t.Helper()
	upstream.Answer(name, harness.ToolCallAnswer(harness.Call{ID: "call_1", Name: "notes__look", Arguments: c.written}), answered("It rains."))
	thread := user.CreateSession()
	user.Say(thread, name)

	received, shown, result := []string{c.received}, c.received, "Rain."
	if c.fault != "" {
		received, shown, result = nil, c.written, "Not called: "
	}
	if got := tool.take(); !slices.Equal(got, received) {
		t.Errorf("%s: the tool received %q, want %q", name, got, received)
	}
	calls := user.Session(thread).Messages[1].ToolCalls
	if calls == nil || len(*calls) != 1 || (*calls)[0].Result == nil {
		t.Fatalf("%s: the history has %+v", name, calls)
	}
	call := (*calls)[0]
	if call.Arguments != shown || !strings.HasPrefix(*call.Result, result) || !strings.Contains(*call.Result, c.fault) {
		t.Errorf("%s: the history has %q with %q, want %q with %q and %q", name, call.Arguments, *call.Result, shown, result, c.fault)
	}
	if failed := call.CallFailed != nil && *call.CallFailed; failed != (c.fault != "") {
		t.Errorf("%s: the history has call_failed %t", name, failed)
	}
	requests := upstream.Requests(name)
	if len(requests) != 2 {
		t.Fatalf("%s: upstream was asked %d times", name, len(requests))
	}
	sent := requests[1].Body.Messages
	asked := sent[len(sent)-2].ToolCalls
	if want := readable(t, shown); len(asked) != 1 || asked[0].Function.Arguments != want {
		t.Errorf("%s: the model was sent %+v, want the arguments %q", name, asked, want)
	}
	if got := requests[1].Results()["call_1"]; got != *call.Result {
		t.Errorf("%s: the model was sent the result %q, want %q", name, got, *call.Result)
	}
}

// readable returns the arguments in the form in which upstream accepts them.
func readable(t *testing.T, arguments string) string {
	t.Helper()
	if json.Valid([]byte(arguments)) {
		return arguments
	}
	wrapped, err := json.Marshal(map[string]string{"unreadable_arguments": arguments})
	if err != nil {
		t.Fatal(err)
	}
	return string(wrapped)
}

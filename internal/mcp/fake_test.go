package mcp

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// fakeVariable makes the test program a fake server that speaks over its stdin
// and stdout. Its value is a fake as JSON.
const fakeVariable = "CHATKIT_REST_FAKE_SERVER"

// fake is a server that answers with fixed JSON, which may break the protocol.
type fake struct {
	// List and Call are the results of tools/list and tools/call.
	List string `json:"list"`
	Call string `json:"call"`
	// Before is written to stdout before each message, After behind it.
	Before string `json:"before"`
	After  string `json:"after"`
}

const (
	oneTool = `{"tools":[{"name":"look","inputSchema":{"type":"object"}}]}`
	seen    = `{"content":[{"type":"text","text":"seen"}]}`
)

// answer returns the answer to a message; empty for a notification.
func (f fake) answer(raw []byte) string {
	var message struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
	}
	if json.Unmarshal(raw, &message) != nil || len(message.ID) == 0 {
		return ""
	}
	var result string
	switch message.Method {
	case "initialize":
		result = `{"protocolVersion":"2025-06-18","capabilities":{"tools":{"listChanged":true}},"serverInfo":{"name":"fake","version":"1"}}`
	case "tools/list":
		result = f.List
	case "tools/call":
		result = f.Call
	default:
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"unknown method"}}`, message.ID)
	}
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":%s}`, message.ID, result)
}

// serveFake serves over stdin and stdout until stdin ends.
func serveFake(script string) {
	var f fake
	if err := json.Unmarshal([]byte(script), &f); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	write := func(text string) { _, _ = os.Stdout.WriteString(text) } // The client may have closed the pipe.
	write(f.Before)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if answer := f.answer(lines.Bytes()); answer != "" {
			write(f.Before + answer + "\n" + f.After)
		}
	}
}

// fakeCommand is a fake over stdin and stdout.
func fakeCommand(t *testing.T, f fake) Server {
	t.Helper()
	script, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Server{Name: "tasks", Command: program, Env: []string{fakeVariable + "=" + string(script)}}
}

// fakeHTTP is a fake over HTTP. The handler may answer instead of it; it
// returns false to leave a request to the fake.
func fakeHTTP(t *testing.T, f fake, handler func(w http.ResponseWriter, r *http.Request, message string) bool) Server {
	t.Helper()
	server, _ := fakeServer(t, f, handler)
	return server
}

// fakeServer is a fake over HTTP that can be stopped: its port is closed, and its
// connections are cut.
func fakeServer(t *testing.T, f fake, handler func(w http.ResponseWriter, r *http.Request, message string) bool) (server Server, stop func()) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil || handler != nil && handler(w, r, string(raw)) {
			return
		}
		answer := f.answer(raw)
		switch {
		case r.Method != http.MethodPost:
			w.WriteHeader(http.StatusMethodNotAllowed)
		case answer == "":
			w.WriteHeader(http.StatusAccepted)
		default:
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, answer) // A client may disconnect.
		}
	}))
	t.Cleanup(s.Close)
	return Server{Name: "tasks", URL: s.URL}, func() {
		if err := s.Listener.Close(); err != nil {
			t.Errorf("close the port: %v", err)
		}
		s.CloseClientConnections()
	}
}

// onEachFake runs a test over stdin and stdout, and over HTTP.
func onEachFake(t *testing.T, f fake, test func(*testing.T, box)) {
	t.Helper()
	t.Run("stdio", func(t *testing.T) {
		t.Parallel()
		test(t, open(t, fakeCommand(t, f)))
	})
	t.Run("http", func(t *testing.T) {
		t.Parallel()
		test(t, open(t, fakeHTTP(t, f, nil)))
	})
}

// nextPage answers each request for the list with one more page of two tools.
func nextPage(page *int) func(http.ResponseWriter, *http.Request, string) bool {
	return func(w http.ResponseWriter, _ *http.Request, message string) bool {
		if !strings.Contains(message, `"tools/list"`) {
			return false
		}
		*page++
		return writeJSON(w, http.StatusOK, fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"nextCursor":"c%d","tools":[
			{"name":"a%d","inputSchema":{}},{"name":"b%d","inputSchema":{}}]}}`, idOf(message), *page, *page, *page))
	}
}

package openrouter_test

import (
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/openrouter"
)

// sentBy returns the request that a client sends for req.
func sentBy(t *testing.T, path string, req chat.ModelRequest, change ...func(*openrouter.Options)) (*http.Request, string) {
	t.Helper()
	var (
		sent *http.Request
		body string
	)
	server := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		read, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		sent, body = r, string(read)
		send(t, w, textEvent+stopEvent+doneEvent)
	})
	stream, err := client(t, server.URL+path, change...).Stream(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	read(t, stream)
	if err := stream.Close(); err != nil {
		t.Error(err)
	}
	return sent, body
}

func TestRequest(t *testing.T) {
	t.Parallel()
	result := "12 °C & <rain>"
	sent, body := sentBy(t, "/api/v1", chat.ModelRequest{
		User: "u-5f3a",
		Messages: []chat.Message{
			{Role: chat.RoleSystem, Content: "Be brief."},
			{Role: chat.RoleUser, Content: "Weather in \"Paris\"?\n"},
			{Role: chat.RoleAssistant, ToolCalls: []chat.ToolCall{{ID: "call_1", Name: "weather", Arguments: `{"city":"Paris"}`}}},
			{Role: chat.RoleTool, Content: result, ToolCallID: "call_1"},
			{Role: chat.RoleAssistant, Content: "It rains."},
			{Role: chat.RoleUser, Content: "Thanks"},
		},
	}, func(o *openrouter.Options) {
		o.MaxTokens = 500
		o.SiteURL, o.AppName, o.UserAgent = "https://example.test/app", "Café", "chatkit-rest/1.2.3"
	})
	checkJSON(t, body, `{
		"model": "test/model", "user": "u-5f3a", "max_tokens": 500, "stream": true, "stream_options": {"include_usage": true},
		"messages": [
			{"role": "system", "content": "Be brief."},
			{"role": "user", "content": "Weather in \"Paris\"?\n"},
			{"role": "assistant", "tool_calls": [{"id": "call_1", "type": "function",
				"function": {"name": "weather", "arguments": "{\"city\":\"Paris\"}"}}]},
			{"role": "tool", "tool_call_id": "call_1", "content": "12 °C & <rain>"},
			{"role": "assistant", "content": "It rains."},
			{"role": "user", "content": "Thanks"}
		],
		"tools": [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}],
		"tool_choice": "none"}`)
	want := http.Header{
		"Authorization":  {"Bearer " + key},
		"Accept":         {"text/event-stream"},
		"Content-Type":   {"application/json"},
		"Content-Length": {sent.Header.Get("Content-Length")},
		"User-Agent":     {"chatkit-rest/1.2.3"},
		"Http-Referer":   {"https://example.test/app"},
		"X-Title":        {"Café"},
	}
	if !reflect.DeepEqual(sent.Header, want) {
		t.Errorf("headers %v\nwant    %v", sent.Header, want)
	}
	if sent.Method != http.MethodPost || sent.RequestURI != "/api/v1/chat/completions" {
		t.Errorf("%s %s", sent.Method, sent.RequestURI)
	}
}

func checkJSON(t *testing.T, body, want string) {
	t.Helper()
	var a, b any
	if err := json.Unmarshal([]byte(body), &a); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	if err := json.Unmarshal([]byte(want), &b); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("sent %s\nwant %s", body, want)
	}
}

func TestMinimalRequest(t *testing.T) {
	t.Parallel()
	sent, body := sentBy(t, "", chat.ModelRequest{
		Model:    "another/model",
		Messages: []chat.Message{{Role: chat.RoleUser}, {Role: chat.RoleAssistant}},
	}, func(o *openrouter.Options) { o.Key = "" })
	checkJSON(t, body, `{"model": "another/model", "stream": true, "stream_options": {"include_usage": true},
		"messages": [{"role": "user", "content": ""}, {"role": "assistant", "content": ""}]}`)
	for _, name := range []string{"Authorization", "Http-Referer", "X-Title", "Accept-Encoding"} {
		if value := sent.Header.Get(name); value != "" {
			t.Errorf("%s: %s was sent", name, value)
		}
	}
	if sent.UserAgent() != "chatkit-rest" {
		t.Errorf("user agent %q", sent.UserAgent())
	}
}

func TestBaseURLs(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"":             "/chat/completions",
		"/":            "/chat/completions",
		"/v1":          "/v1/chat/completions",
		"/api/v1/":     "/api/v1/chat/completions",
		"/a%20b/proxy": "/a%20b/proxy/chat/completions",
	} {
		if sent, _ := sentBy(t, base, asked()); sent.RequestURI != want {
			t.Errorf("base %q: asked %s, want %s", base, sent.RequestURI, want)
		}
	}
}

// TestEnvironmentIsNotSent checks that the environment variables of OpenAI's clients do
// not change a request.
func TestEnvironmentIsNotSent(t *testing.T) {
	for _, name := range []string{
		"OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_WEBHOOK_SECRET",
	} {
		t.Setenv(name, "leaked")
	}
	t.Setenv("OPENAI_BASE_URL", "http://leaked.test")
	t.Setenv("OPENAI_CUSTOM_HEADERS", "X-Leaked: leaked")
	sent, body := sentBy(t, "", asked())
	for name, values := range sent.Header {
		if strings.Contains(strings.ToLower(name+strings.Join(values, "")), "leaked") {
			t.Errorf("%s: %v", name, values)
		}
	}
	if strings.Contains(body, "leaked") {
		t.Error(body)
	}
}

func TestInvalidOptions(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]openrouter.Options{
		"base URL: no scheme":    {BaseURL: "openrouter.ai/api/v1"},
		"base URL: a file":       {BaseURL: "file:///etc/secret"},
		"base URL: no host":      {BaseURL: "https:///secret"},
		"base URL: nonsense":     {BaseURL: "http://a b:secret"},
		"base URL: user name":    {BaseURL: "https://user:" + "secret@example.test/"},
		"base URL: query":        {BaseURL: "https://example.test/?key=secret"},
		"base URL: fragment":     {BaseURL: "https://example.test/#secret"},
		"key: line break":        {Key: "secret\n"},
		"site URL: line break":   {SiteURL: "https://example.test\r\nX: secret"},
		"app name: line break":   {AppName: "secret\n"},
		"user agent: line break": {UserAgent: "secret\x00"},
	} {
		field, _, _ := strings.Cut(name, ":")
		_, err := openrouter.New(options)
		if err == nil || !strings.Contains(err.Error(), field) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	if _, err := openrouter.New(openrouter.Options{}); err != nil {
		t.Error(err)
	}
}

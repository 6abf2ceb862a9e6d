package openrouter_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/openrouter"
)

// TestRequestWithToolsAndImages encodes a request with calls, results and an image in
// its history.
func TestRequestWithToolsAndImages(t *testing.T) {
	t.Parallel()
	parameters := `{"type":"object","properties":{"z":{"type":"string"},"a":{"enum":["<",1.0]}},"$defs":{}}`
	_, body := sentBy(t, "", chat.ModelRequest{
		Messages: []chat.Message{
			{Role: chat.RoleUser, Content: "What is this?", Images: []chat.Image{
				{MimeType: "image/png", Data: []byte("\x89PNG\r\n\x1a\n")}, {MimeType: "image/jpeg", Data: []byte{0xff, 0xd8}},
			}},
			{Role: chat.RoleUser, Images: []chat.Image{{MimeType: "image/webp", Data: []byte("RIFF")}}},
			{
				Role: chat.RoleAssistant, Content: "Let me look.", ReasoningDetails: json.RawMessage(`[{"type":"reasoning.encrypted","data":"gA=="}]`),
				ToolCalls: []chat.ToolCall{
					{ID: "call_1", Name: "look", Arguments: `{"at": "<this>"}`}, {ID: "call_2", Name: "now"}, {ID: "call_3", Name: "cut", Arguments: `{"a`},
				},
			},
			{Role: chat.RoleTool, ToolCallID: "call_1", Content: "a cat"},
			{Role: chat.RoleTool, ToolCallID: "call_2", Content: ""},
			{Role: chat.RoleTool, ToolCallID: "call_3", Content: "the arguments are not JSON"},
		},
		Tools: []chat.Tool{
			{Name: "look", Description: "Looks at a thing", Parameters: json.RawMessage(parameters)},
			{Name: "now"},
		},
		ToolChoice: "look",
	})
	checkJSON(t, body, `{
		"model": "test/model", "stream": true, "stream_options": {"include_usage": true},
		"messages": [
			{"role": "user", "content": [
				{"type": "text", "text": "What is this?"},
				{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
				{"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,/9g="}}
			]},
			{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/webp;base64,UklGRg=="}}]},
			{"role": "assistant", "content": "Let me look.", "reasoning_details": [{"type": "reasoning.encrypted", "data": "gA=="}],
				"tool_calls": [
					{"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{\"at\": \"<this>\"}"}},
					{"id": "call_2", "type": "function", "function": {"name": "now", "arguments": "{}"}},
					{"id": "call_3", "type": "function", "function": {"name": "cut", "arguments": "{\"unreadable_arguments\":\"{\\\"a\"}"}}
				]},
			{"role": "tool", "tool_call_id": "call_1", "content": "a cat"},
			{"role": "tool", "tool_call_id": "call_2", "content": ""},
			{"role": "tool", "tool_call_id": "call_3", "content": "the arguments are not JSON"}
		],
		"tools": [
			{"type": "function", "function": {"name": "look", "description": "Looks at a thing", "parameters": `+parameters+`}},
			{"type": "function", "function": {"name": "now"}}
		],
		"tool_choice": {"type": "function", "function": {"name": "look"}}
	}`)
	if !strings.Contains(body, `"parameters":`+parameters) {
		t.Errorf("the parameters were changed: %s", body)
	}
}

// TestRequestWithoutToolsAfterCalls checks that a request without tools names the
// tools of the calls in its history and forbids calls, since some providers refuse
// such a history otherwise.
func TestRequestWithoutToolsAfterCalls(t *testing.T) {
	t.Parallel()
	_, body := sentBy(t, "", chat.ModelRequest{Messages: []chat.Message{
		{Role: chat.RoleUser, Content: "Hello"},
		{Role: chat.RoleAssistant, ToolCalls: []chat.ToolCall{
			{ID: "1", Name: "look", Arguments: "{}"}, {ID: "2", Name: "now.utc", Arguments: "{}"}, {ID: "3", Name: "look", Arguments: "{}"},
		}},
		{Role: chat.RoleTool, ToolCallID: "1"},
		{Role: chat.RoleTool, ToolCallID: "2"},
		{Role: chat.RoleTool, ToolCallID: "3"},
	}})
	var sent struct {
		Tools      json.RawMessage `json:"tools"`
		ToolChoice json.RawMessage `json:"tool_choice"`
	}
	if err := json.Unmarshal([]byte(body), &sent); err != nil {
		t.Fatal(err)
	}
	checkJSON(t, string(sent.ToolChoice), `"none"`)
	checkJSON(t, string(sent.Tools), `[
		{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}},
		{"type": "function", "function": {"name": "now_utc", "parameters": {"type": "object", "properties": {}}}}
	]`)
}

// TestRequestThatForbidsCalls checks that a request which forbids calls still has the
// tools.
func TestRequestThatForbidsCalls(t *testing.T) {
	t.Parallel()
	_, body := sentBy(t, "", chat.ModelRequest{
		Messages: []chat.Message{{Role: chat.RoleUser, Content: "Hello"}}, Tools: []chat.Tool{{Name: "look"}}, NoCalls: true,
	})
	checkJSON(t, body, `{
		"model": "test/model", "stream": true, "stream_options": {"include_usage": true},
		"messages": [{"role": "user", "content": "Hello"}],
		"tools": [{"type": "function", "function": {"name": "look"}}], "tool_choice": "none"
	}`)
}

func TestFallbackModels(t *testing.T) {
	t.Parallel()
	fallbacks := func(o *openrouter.Options) { o.FallbackModels = []string{"b/second", "test/model", "c/third"} }
	for asked, want := range map[string]string{
		"":         `"test/model", "models": ["b/second", "c/third"]`,
		"d/other":  `"d/other", "models": ["b/second", "test/model", "c/third"]`,
		"b/second": `"b/second", "models": ["test/model", "c/third"]`,
	} {
		_, body := sentBy(t, "", chat.ModelRequest{Model: asked}, fallbacks)
		checkJSON(t, body, `{"model": `+want+`, "stream": true, "stream_options": {"include_usage": true}, "messages": []}`)
	}
	_, body := sentBy(t, "", chat.ModelRequest{}, func(o *openrouter.Options) { o.FallbackModels = []string{"test/model"} })
	if strings.Contains(body, "models") {
		t.Errorf("no other model is left, but there was sent %s", body)
	}
}

package demo_test

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/demo"
	"github.com/chatkit-rest/chatkit-rest/internal/openrouter"
)

// A tool loop with a picture and a thought, as the service has it with the
// demo: its own client, over HTTP.
func TestServesTheServicesOwnClient(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	client, err := openrouter.New(openrouter.Options{BaseURL: server.URL(), Key: server.Key(), Model: "some/model"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdle)
	request := chat.ModelRequest{
		Messages: []chat.Message{{
			Role: chat.RoleUser, Content: "think, then add task: Buy milk", Images: []chat.Image{{MimeType: "image/png", Data: []byte("x")}},
		}},
		Tools: []chat.Tool{{
			Name: "add_task", Parameters: json.RawMessage(`{"type":"object","properties":{"title":{"type":"string"}},"required":["title"]}`),
		}},
	}
	first := answered(t, client, request)
	if first.Reasoning == "" || first.Text != "" || first.FinishReason != "tool_calls" || len(first.Calls) != 1 ||
		first.Calls[0].Name != "add_task" || first.Calls[0].Arguments != `{"title":"Buy milk"}` {
		t.Fatalf("answer %+v", first)
	}
	call := chat.ToolCall{ID: first.Calls[0].ID, Name: first.Calls[0].Name, Arguments: first.Calls[0].Arguments}
	request.Messages = append(request.Messages,
		chat.Message{Role: chat.RoleAssistant, ToolCalls: []chat.ToolCall{call}, ReasoningDetails: first.ReasoningDetails},
		chat.Message{Role: chat.RoleTool, ToolCallID: call.ID, Content: "Added as number 3."})
	second := answered(t, client, request)
	if !strings.Contains(second.Text, "> Added as number 3.") || second.FinishReason != "stop" || second.Calls != nil {
		t.Errorf("answer %+v", second)
	}
}

// answered joins the chunks of an answer; its calls are whole.
func answered(t *testing.T, client *openrouter.Client, request chat.ModelRequest) chat.Chunk {
	t.Helper()
	stream, err := client.Stream(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Close() }()
	var whole chat.Chunk
	var details []json.RawMessage
	for {
		var chunk chat.Chunk
		err := stream.Next(&chunk)
		if errors.Is(err, io.EOF) {
			whole.ReasoningDetails, err = json.Marshal(details)
			if err != nil {
				t.Fatal(err)
			}
			return whole
		}
		if err != nil {
			t.Fatal(err)
		}
		whole.Text += chunk.Text
		whole.Reasoning += chunk.Reasoning
		whole.FinishReason += chunk.FinishReason
		whole.Calls = joined(whole.Calls, chunk.Calls)
		var more []json.RawMessage
		if chunk.ReasoningDetails != nil && json.Unmarshal(chunk.ReasoningDetails, &more) != nil {
			t.Errorf("details %s", chunk.ReasoningDetails)
		}
		details = append(details, more...)
	}
}

func joined(calls, pieces []chat.ToolCallDelta) []chat.ToolCallDelta {
	for _, piece := range pieces {
		if piece.Index == len(calls) {
			calls = append(calls, piece)
			continue
		}
		calls[piece.Index].Arguments += piece.Arguments
	}
	return calls
}

package openrouter

import (
	"encoding/json"
	"strings"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

const (
	functionType = "function"
	noArguments  = "{}"
)

type requestMessage struct {
	Role chat.Role `json:"role"`
	// Content is a string or a list of parts. It is nil if an assistant only calls
	// tools.
	Content          any             `json:"content,omitempty"`
	ToolCalls        []requestCall   `json:"tool_calls,omitempty"`
	ToolCallID       string          `json:"tool_call_id,omitempty"`
	ReasoningDetails json.RawMessage `json:"reasoning_details,omitempty"`
}

type requestPart struct {
	Type     string        `json:"type"`
	Text     string        `json:"text,omitempty"`
	ImageURL *requestImage `json:"image_url,omitempty"`
}

type requestImage struct {
	URL string `json:"url"`
}

type requestCall struct {
	ID       string          `json:"id"`
	Type     string          `json:"type"`
	Function requestFunction `json:"function"`
}

type requestFunction struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

// fromMessage converts a message, with the placeholder instead of each image.
func fromMessage(message *chat.Message, placeholder string) requestMessage {
	to := requestMessage{
		Role: message.Role, Content: fromContent(message, placeholder), ToolCallID: message.ToolCallID,
		ReasoningDetails: JoinDetails(message.ReasoningDetails),
	}
	for _, call := range message.ToolCalls {
		to.ToolCalls = append(to.ToolCalls, requestCall{
			ID: call.ID, Type: functionType, Function: requestFunction{Name: functionName(call.Name), Arguments: sentArguments(call.Arguments)},
		})
	}
	return to
}

// sentArguments returns arguments that servers accept. They would refuse every later
// request of the thread if a call in its history had invalid JSON, so invalid JSON is
// sent as a string in an object. The call's result says what was wrong.
func sentArguments(written string) string {
	if written == "" {
		return noArguments
	}
	if json.Valid([]byte(written)) {
		return written
	}
	wrapped, err := marshal(map[string]string{"unreadable_arguments": written})
	if err != nil { // Always nil: a string can be encoded.
		return noArguments
	}
	return string(wrapped)
}

// maxFunctionName is the length of the longest name that the OpenAI API accepts.
const maxFunctionName = 64

// functionName returns a name that the API accepts. A model may call a tool by any
// name, and servers refuse a history with an invalid one.
func functionName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-':
			return r
		default:
			return '_'
		}
	}, name)
	if name == "" {
		return "_"
	}
	return name[:min(len(name), maxFunctionName)]
}

// fromContent returns the text, or a list of parts: the texts and after them the
// images, which is the order that OpenRouter recommends.
func fromContent(message *chat.Message, placeholder string) any {
	if len(message.Images) == 0 && len(message.Files) == 0 {
		if message.Content == "" && len(message.ToolCalls) > 0 {
			return nil
		}
		return message.Content
	}
	var parts []requestPart
	if message.Content != "" {
		parts = append(parts, requestPart{Type: "text", Text: message.Content})
	}
	for _, file := range message.Files {
		parts = append(parts, requestPart{Type: "text", Text: file})
	}
	for _, image := range message.Images {
		parts = append(parts, requestPart{
			Type: "image_url", ImageURL: &requestImage{URL: "data:" + image.MimeType + ";base64," + placeholder},
		})
	}
	return parts
}

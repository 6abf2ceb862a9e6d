package harness

import (
	"encoding/json"
	"slices"
	"strings"
)

// ChatRequest is the body of a POST to /chat/completions.
type ChatRequest struct {
	Model string `json:"model"`
	// Models are the fallbacks after Model.
	Models   []string      `json:"models"`
	Messages []ChatMessage `json:"messages"`
	Tools    []ChatTool    `json:"tools"`
	// ToolChoice is a string or an object; nil if none was sent.
	ToolChoice json.RawMessage `json:"tool_choice"`
	Stream     bool            `json:"stream"`
	MaxTokens  int             `json:"max_tokens"`
	User       string          `json:"user"`
}

// ChatMessage is a message of a request.
type ChatMessage struct {
	Role string
	// Content is the text of all parts.
	Content string
	// Parts are the parts of the content; nil if it was a string.
	Parts            []ChatPart
	ToolCalls        []ChatCall
	ToolCallID       string
	ReasoningDetails json.RawMessage
}

// ChatPart is a part of a message's content: a text, or an image by its URL.
type ChatPart struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	ImageURL struct {
		URL string `json:"url"`
	} `json:"image_url"`
}

// ChatCall is a tool call in an assistant's message.
type ChatCall struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

// ChatTool is a tool that the model may call.
type ChatTool struct {
	Type     string `json:"type"`
	Function struct {
		Name        string          `json:"name"`
		Description string          `json:"description"`
		Parameters  json.RawMessage `json:"parameters"`
	} `json:"function"`
}

// UnmarshalJSON accepts content that is a string, a list of parts, or null.
func (m *ChatMessage) UnmarshalJSON(data []byte) error {
	var sent struct {
		Role             string          `json:"role"`
		Content          json.RawMessage `json:"content"`
		ToolCalls        []ChatCall      `json:"tool_calls"`
		ToolCallID       string          `json:"tool_call_id"`
		ReasoningDetails json.RawMessage `json:"reasoning_details"`
	}
	if err := json.Unmarshal(data, &sent); err != nil {
		return err
	}
	*m = ChatMessage{
		Role: sent.Role, ToolCalls: sent.ToolCalls, ToolCallID: sent.ToolCallID, ReasoningDetails: sent.ReasoningDetails,
	}
	switch {
	case len(sent.Content) == 0:
		return nil
	case sent.Content[0] != '[':
		return json.Unmarshal(sent.Content, &m.Content)
	}
	var texts []string
	if err := json.Unmarshal(sent.Content, &m.Parts); err != nil {
		return err
	}
	for _, part := range m.Parts {
		if part.Type == "text" {
			texts = append(texts, part.Text)
		}
	}
	m.Content = strings.Join(texts, "\n")
	return nil
}

// Question returns the text of the last user message.
func (r *UpstreamRequest) Question() string {
	for _, message := range slices.Backward(r.Body.Messages) {
		if message.Role == "user" {
			return message.Content
		}
	}
	return ""
}

// HasQuestion reports whether the last user message is the question or ends in
// it. The server joins consecutive user messages, as after a failed run.
func (r *UpstreamRequest) HasQuestion(question string) bool {
	text := r.Question()
	return text == question || strings.HasSuffix(text, "\n\n"+question)
}

// Results returns the tool messages after the last user message by the id of
// their call.
func (r *UpstreamRequest) Results() map[string]string {
	results := make(map[string]string)
	for _, message := range slices.Backward(r.Body.Messages) {
		switch message.Role {
		case "user":
			return results
		case "tool":
			results[message.ToolCallID] = message.Content
		}
	}
	return results
}

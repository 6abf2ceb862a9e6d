package openrouter

import (
	"bytes"
	"encoding/json"

	"github.com/openai/openai-go/v3/option"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// requestOptions are all that the library is told: it is never asked for its
// defaults, which are OpenAI's and of the environment.
func requestOptions(o Options, http doer) []option.RequestOption {
	options := []option.RequestOption{
		option.WithBaseURL(o.BaseURL),
		option.WithHTTPClient(http),
		option.WithMaxRetries(0),
		option.WithHeader("User-Agent", o.UserAgent),
	}
	if o.Key != "" {
		options = append(options, option.WithAPIKey(o.Key))
	}
	if o.SiteURL != "" {
		options = append(options, option.WithHeader("HTTP-Referer", o.SiteURL))
	}
	if o.AppName != "" {
		options = append(options, option.WithHeader("X-Title", o.AppName))
	}
	return options
}

// completionRequest is what is asked of POST /chat/completions of the OpenAI API.
// The library's own types are encoded by reflection over every field there is.
type completionRequest struct {
	Model         string           `json:"model"`
	Messages      []requestMessage `json:"messages"`
	Stream        bool             `json:"stream"`
	StreamOptions streamOptions    `json:"stream_options"`
	MaxTokens     int              `json:"max_tokens,omitempty"`
	User          string           `json:"user,omitempty"`
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

type requestMessage struct {
	Role chat.Role `json:"role"`
	// Content is nil where an assistant only calls tools.
	Content    *string       `json:"content,omitempty"`
	ToolCalls  []requestCall `json:"tool_calls,omitempty"`
	ToolCallID string        `json:"tool_call_id,omitempty"`
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

// requestBody is the JSON of a question, streamed, with usage.
func requestBody(req chat.ModelRequest, maxTokens int) ([]byte, error) {
	request := completionRequest{
		Model: req.Model, Messages: make([]requestMessage, len(req.Messages)),
		Stream: true, StreamOptions: streamOptions{IncludeUsage: true}, MaxTokens: maxTokens, User: req.User,
	}
	for n := range req.Messages {
		request.Messages[n] = fromMessage(&req.Messages[n])
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(&request)
	return body.Bytes(), err
}

func fromMessage(message *chat.Message) requestMessage {
	to := requestMessage{Role: message.Role, ToolCallID: message.ToolCallID}
	if message.Content != "" || len(message.ToolCalls) == 0 {
		to.Content = &message.Content
	}
	for _, call := range message.ToolCalls {
		to.ToolCalls = append(to.ToolCalls, requestCall{
			ID: call.ID, Type: "function", Function: requestFunction{Name: call.Name, Arguments: call.Arguments},
		})
	}
	return to
}

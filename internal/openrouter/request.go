package openrouter

import (
	"bytes"
	"encoding/json"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// completionRequest is the body of POST /chat/completions of the OpenAI API. It
// asks for a stream that ends with the usage.
type completionRequest struct {
	Model  string   `json:"model"`
	Models []string `json:"models,omitempty"`
	User   string   `json:"user,omitempty"`
	// MaxTokens bounds the answer; 0 is not sent.
	MaxTokens     int              `json:"max_tokens,omitempty"`
	Stream        bool             `json:"stream"`
	StreamOptions streamOptions    `json:"stream_options"`
	Messages      []requestMessage `json:"messages"`
	Tools         []requestTool    `json:"tools,omitempty"`
	// ToolChoice is a string or a requestChoice; nil lets the model choose.
	ToolChoice any `json:"tool_choice,omitempty"`
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

// requestBody returns the JSON of a request.
func requestBody(req chat.ModelRequest, options *Options) ([]byte, error) {
	request := completionRequest{
		Model: req.Model, Models: fallbacks(req.Model, options.FallbackModels), User: req.User, MaxTokens: options.MaxTokens,
		Stream: true, StreamOptions: streamOptions{IncludeUsage: true}, Messages: make([]requestMessage, len(req.Messages)),
	}
	placeholder, images := imagePlaceholder(req.Messages)
	for n := range req.Messages {
		request.Messages[n] = fromMessage(&req.Messages[n], placeholder)
	}
	request.addTools(&req)
	body, err := marshal(&request)
	return insertImages(body, placeholder, images), err
}

// marshal is json.Marshal without the escaping of <, > and &.
func marshal(value any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), err
}

// fallbacks returns the models without the one of the request.
func fallbacks(requested string, models []string) []string {
	var others []string
	for _, model := range models {
		if model != requested {
			others = append(others, model)
		}
	}
	return others
}

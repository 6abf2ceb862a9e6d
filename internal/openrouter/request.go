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
	Model    string           `json:"model"`
	Models   []string         `json:"models,omitempty"`
	Messages []requestMessage `json:"messages"`
	Tools    []requestTool    `json:"tools,omitempty"`
	// ToolChoice is a word or a requestChoice; nil leaves it to the model.
	ToolChoice    any           `json:"tool_choice,omitempty"`
	Stream        bool          `json:"stream"`
	StreamOptions streamOptions `json:"stream_options"`
	MaxTokens     int           `json:"max_tokens,omitempty"`
	User          string        `json:"user,omitempty"`
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

// requestBody is the JSON of a question, streamed, with usage.
func requestBody(req chat.ModelRequest, options *Options) ([]byte, error) {
	request := completionRequest{
		Model: req.Model, Models: fallbacks(req.Model, options.FallbackModels),
		Messages: make([]requestMessage, len(req.Messages)),
		Stream:   true, StreamOptions: streamOptions{IncludeUsage: true}, MaxTokens: options.MaxTokens, User: req.User,
	}
	hole, images := holeFor(req.Messages)
	for n := range req.Messages {
		request.Messages[n] = fromMessage(&req.Messages[n], hole)
	}
	request.offer(&req)
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(&request)
	return fillHoles(body.Bytes(), hole, images), err
}

// fallbacks are the models to try after the one that is asked.
func fallbacks(asked string, models []string) []string {
	var others []string
	for _, model := range models {
		if model != asked {
			others = append(others, model)
		}
	}
	return others
}

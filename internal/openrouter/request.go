package openrouter

import (
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

// completionRequest is what is asked of POST /chat/completions of the OpenAI
// API: an answer that is streamed, with its usage. The library's own types are
// encoded by reflection over every field there is.
type completionRequest struct {
	Model    string
	Models   []string
	Messages []requestMessage
	Tools    []requestTool
	// ToolChoice is a word or a requestChoice; nil leaves it to the model.
	ToolChoice any
	MaxTokens  int
	User       string
}

// requestBody is the JSON of a question.
func requestBody(req chat.ModelRequest, options *Options) ([]byte, error) {
	request := completionRequest{
		Model: req.Model, Models: fallbacks(req.Model, options.FallbackModels),
		Messages: make([]requestMessage, len(req.Messages)), MaxTokens: options.MaxTokens, User: req.User,
	}
	hole, images := holeFor(req.Messages)
	size := 1 << 10
	for n := range req.Messages {
		request.Messages[n] = fromMessage(&req.Messages[n], hole)
		size += len(req.Messages[n].Content) + len(`{"role":"assistant","content":""},`)
	}
	request.offer(&req)
	body, err := request.appendJSON(make([]byte, 0, size))
	return fillHoles(body, hole, images), err
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

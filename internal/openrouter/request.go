package openrouter

import (
	"encoding/json"

	"github.com/openai/openai-go/v3"
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

// requestBody is the JSON of a question: POST /chat/completions of the OpenAI
// API, streamed, with usage.
func requestBody(req chat.ModelRequest) ([]byte, error) {
	params := openai.ChatCompletionNewParams{
		Model:         req.Model,
		Messages:      make([]openai.ChatCompletionMessageParamUnion, len(req.Messages)),
		StreamOptions: openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)},
	}
	for i, message := range req.Messages {
		params.Messages[i] = fromMessage(message)
	}
	if req.User != "" {
		params.User = openai.String(req.User)
	}
	params.SetExtraFields(map[string]any{"stream": true})
	return json.Marshal(params)
}

func fromMessage(message chat.Message) openai.ChatCompletionMessageParamUnion {
	switch message.Role {
	case chat.RoleSystem:
		return openai.SystemMessage(message.Content)
	case chat.RoleTool:
		return openai.ToolMessage(message.Content, message.ToolCallID)
	case chat.RoleAssistant:
		return fromAssistantMessage(message)
	case chat.RoleUser:
	}
	return openai.UserMessage(message.Content)
}

func fromAssistantMessage(message chat.Message) openai.ChatCompletionMessageParamUnion {
	var assistant openai.ChatCompletionAssistantMessageParam
	if message.Content != "" || len(message.ToolCalls) == 0 {
		assistant.Content.OfString = openai.String(message.Content)
	}
	for _, call := range message.ToolCalls {
		assistant.ToolCalls = append(assistant.ToolCalls, openai.ChatCompletionMessageToolCallUnionParam{
			OfFunction: &openai.ChatCompletionMessageFunctionToolCallParam{
				ID: call.ID,
				Function: openai.ChatCompletionMessageFunctionToolCallFunctionParam{
					Name: call.Name, Arguments: call.Arguments,
				},
			},
		})
	}
	return openai.ChatCompletionMessageParamUnion{OfAssistant: &assistant}
}

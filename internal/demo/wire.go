package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// request has the fields of a chat completion request that the demo reads.
type request struct {
	Stream     bool      `json:"stream"`
	Messages   []message `json:"messages"`
	Tools      []tool    `json:"tools"`
	ToolChoice choiceOf  `json:"tool_choice"`
}

type message struct {
	Role       string  `json:"role"`
	Content    content `json:"content"`
	ToolCalls  []made  `json:"tool_calls"`
	ToolCallID string  `json:"tool_call_id"`
}

// made is a tool call in an earlier answer.
type made struct {
	ID       string   `json:"id"`
	Function toolName `json:"function"`
}

type toolName struct {
	Name string `json:"name"`
}

// tool is a tool that may be called.
type tool struct {
	Function struct {
		Name        string `json:"name"`
		Description string `json:"description"`
		Parameters  schema `json:"parameters"`
	} `json:"function"`
}

// choiceOf is the tool that must be called. The API takes a string or an object.
type choiceOf struct {
	// none: no tool may be called.
	none bool
	name string
}

func (c *choiceOf) UnmarshalJSON(data []byte) error {
	c.none = string(data) == `"none"`
	var named struct {
		Function toolName `json:"function"`
	}
	if json.Unmarshal(data, &named) == nil {
		c.name = named.Function.Name
	}
	return nil
}

// content is a message's text and the URLs of its images. The API takes a
// string, a list of parts, or null.
type content struct {
	text   string
	images []string
}

var (
	errContent  = errors.New("messages: content must be a string or a list of parts")
	errNoInput  = errors.New(`input required: specify "messages"`)
	errNoStream = errors.New(`the demo only streams: set "stream" to true`)
)

func (c *content) UnmarshalJSON(data []byte) error {
	var text *string
	if json.Unmarshal(data, &text) == nil {
		if text != nil {
			c.text = *text
		}
		return nil
	}
	var parts []struct {
		Text     string `json:"text"`
		ImageURL struct {
			URL string `json:"url"`
		} `json:"image_url"`
	}
	if err := json.Unmarshal(data, &parts); err != nil {
		return errContent
	}
	var all strings.Builder
	for _, part := range parts {
		all.WriteString(part.Text)
		if part.ImageURL.URL != "" {
			c.images = append(c.images, part.ImageURL.URL)
		}
	}
	c.text = all.String()
	return nil
}

// chunk is one event of a stream.
type chunk struct {
	ID       string     `json:"id"`
	Provider string     `json:"provider"`
	Model    string     `json:"model"`
	Object   string     `json:"object"`
	Created  int64      `json:"created"`
	Choices  []choice   `json:"choices"`
	Usage    *usage     `json:"usage,omitempty"`
	Error    *chunkFail `json:"error,omitempty"`
}

type choice struct {
	Index              int     `json:"index"`
	Delta              delta   `json:"delta"`
	FinishReason       *string `json:"finish_reason"`
	NativeFinishReason *string `json:"native_finish_reason"`
	Logprobs           *string `json:"logprobs"`
}

type delta struct {
	Role    string `json:"role"`
	Content string `json:"content"`

	Reasoning        string      `json:"reasoning,omitempty"`
	ReasoningDetails []detail    `json:"reasoning_details,omitempty"`
	ToolCalls        []callPiece `json:"tool_calls,omitempty"`
}

type detail struct {
	Type   string `json:"type"`
	Text   string `json:"text"`
	Format string `json:"format"`
	Index  int    `json:"index"`
}

// callPiece is a piece of a tool call: the first has the id and the name.
type callPiece struct {
	Index    int           `json:"index"`
	ID       string        `json:"id,omitempty"`
	Type     string        `json:"type,omitempty"`
	Function functionPiece `json:"function"`
}

type functionPiece struct {
	Name      string `json:"name,omitempty"`
	Arguments string `json:"arguments"`
}

// chunkFail is an error inside a stream. Its code is a string there, where an
// HTTP error's is a number.
type chunkFail struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// usage is the usage of an answer. The demo has no tokenizer: a word counts as a
// token.
type usage struct {
	PromptTokens     int     `json:"prompt_tokens"`
	CompletionTokens int     `json:"completion_tokens"`
	TotalTokens      int     `json:"total_tokens"`
	Cost             float64 `json:"cost"`
	IsBYOK           bool    `json:"is_byok"`

	PromptTokensDetails     promptDetails     `json:"prompt_tokens_details"`
	CostDetails             costDetails       `json:"cost_details"`
	CompletionTokensDetails completionDetails `json:"completion_tokens_details"`
}

type promptDetails struct {
	CachedTokens int `json:"cached_tokens"`
}

type costDetails struct {
	UpstreamInferenceCost *float64 `json:"upstream_inference_cost"`
}

type completionDetails struct {
	ReasoningTokens int `json:"reasoning_tokens"`
}

// decode reads a request's body. Its error is a message for the client.
func decode(body []byte) (request, error) {
	var req request
	if err := json.Unmarshal(body, &req); err != nil {
		return request{}, fmt.Errorf("the body is not a chat completion request: %w", err)
	}
	if len(req.Messages) == 0 {
		return request{}, errNoInput
	}
	if !req.Stream {
		return request{}, errNoStream
	}
	return req, nil
}

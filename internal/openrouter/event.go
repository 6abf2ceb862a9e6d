package openrouter

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// event is what is read of a chat completion chunk, or of a whole chat
// completion. Everything else in it is passed over.
type event struct {
	ID      string   `json:"id"`
	Model   string   `json:"model"`
	Choices []choice `json:"choices"`
	Usage   *usage   `json:"usage"`
	Error   fault    `json:"error"`
	// Object and Type are "error" where the event is itself an error; Message and
	// Detail say more of it.
	Object  string  `json:"object"`
	Type    string  `json:"type"`
	Message content `json:"message"`
	Detail  content `json:"detail"`
}

// isErrorObject reports whether the event is an error that has no member of that
// name.
func (e *event) isErrorObject() bool {
	return e.Error.UpstreamError == nil && (e.Object == "error" || e.Type == "error")
}

// isUnknown reports whether the event has nothing of a chunk.
func (e *event) isUnknown() bool {
	return e.Choices == nil && e.Usage == nil && e.ID == "" && e.Model == "" && e.Error.UpstreamError == nil && e.Type != "ping"
}

type choice struct {
	Index        int     `json:"index"`
	Delta        message `json:"delta"`
	Message      message `json:"message"`
	FinishReason string  `json:"finish_reason"`
	// Error is OpenRouter's, in an answer that is not a stream.
	Error fault `json:"error"`
}

type message struct {
	Content content `json:"content"`
	// Refusal is the model's own words where it declines.
	Refusal content `json:"refusal"`
	// Reasoning is OpenRouter's, ReasoningContent the same of others; some
	// servers send both.
	Reasoning        content         `json:"reasoning"`
	ReasoningContent content         `json:"reasoning_content"`
	ReasoningDetails json.RawMessage `json:"reasoning_details"`
	ToolCalls        []callPiece     `json:"tool_calls"`
	Annotations      []annotation    `json:"annotations"`
}

// annotation is a source of the text (OpenRouter's documentation, "Web
// Search").
type annotation struct {
	Type     string `json:"type"`
	Citation struct {
		URL      string `json:"url"`
		Title    string `json:"title"`
		EndIndex *int   `json:"end_index"`
	} `json:"url_citation"`
	// Some servers send the same fields without url_citation around them.
	URL      string `json:"url"`
	Title    string `json:"title"`
	EndIndex *int   `json:"end_index"`
}

type usage struct {
	PromptTokens     int64    `json:"prompt_tokens"`
	CompletionTokens int64    `json:"completion_tokens"`
	Cost             *float64 `json:"cost"`
	PromptDetails    struct {
		CachedTokens int64 `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
	CompletionDetails struct {
		ReasoningTokens int64 `json:"reasoning_tokens"`
	} `json:"completion_tokens_details"`
}

// content is a string, null, or a list of parts of which those of type text
// count. Half of a surrogate pair at its ends is in WTF-8; see [unquote].
type content string

// UnmarshalJSON takes any JSON; what holds no text is empty.
func (c *content) UnmarshalJSON(data []byte) error {
	*c = ""
	switch data[0] {
	case '"':
		text, err := unquote(data)
		*c = content(text)
		return err
	case '[':
		var parts []struct {
			Type string  `json:"type"`
			Text content `json:"text"`
		}
		if err := unmarshal(data, &parts); err != nil {
			return err
		}
		for _, part := range parts {
			if part.Type == "text" {
				*c += part.Text
			}
		}
	}
	return nil
}

// fault is an error inside an answer of status 200. OpenRouter's is an object;
// some servers send a string. Nil says that there is none.
type fault struct{ *chat.UpstreamError }

// UnmarshalJSON takes any JSON; null, false and "" are no error.
func (f *fault) UnmarshalJSON(data []byte) error {
	f.UpstreamError = nil
	switch string(data) {
	case "null", "false", `""`:
		return nil
	}
	var told struct {
		// Code is a number, a number in a string, or a word.
		Code     json.RawMessage `json:"code"`
		Type     string          `json:"type"`
		Metadata struct {
			ErrorType string `json:"error_type"`
		} `json:"metadata"`
	}
	if err := unmarshal(data, &told); err != nil {
		return err
	}
	code := string(bytes.Trim(told.Code, `"`))
	status, _ := strconv.Atoi(code)
	f.UpstreamError = &chat.UpstreamError{Kind: kindOfStatus(status), Status: status}
	for _, word := range []string{told.Type, code, told.Metadata.ErrorType} {
		if kind, ok := kindOfWord[word]; ok {
			f.Kind = kind
		}
	}
	return nil
}

// kindOfWord has OpenRouter's error types and those OpenAI-compatible servers
// share; see OpenRouter's documentation, "Errors and Debugging".
var kindOfWord = map[string]chat.UpstreamKind{
	"authentication":           chat.UpstreamCredentials,
	"authentication_error":     chat.UpstreamCredentials,
	"invalid_api_key":          chat.UpstreamCredentials,
	"payment_required":         chat.UpstreamPayment,
	"insufficient_quota":       chat.UpstreamPayment,
	"rate_limit_exceeded":      chat.UpstreamBusy,
	"rate_limit_error":         chat.UpstreamBusy,
	"provider_overloaded":      chat.UpstreamBusy,
	"provider_unavailable":     chat.UpstreamBusy,
	"overloaded_error":         chat.UpstreamBusy,
	"server":                   chat.UpstreamBusy,
	"server_error":             chat.UpstreamBusy,
	"api_error":                chat.UpstreamBusy,
	"timeout":                  chat.UpstreamTimeout,
	"permission_denied":        chat.UpstreamRefused,
	"content_policy_violation": chat.UpstreamRefused,
	"content_filter":           chat.UpstreamRefused,
	"refusal":                  chat.UpstreamRefused,
	"context_length_exceeded":  chat.UpstreamBadRequest,
	"max_tokens_exceeded":      chat.UpstreamBadRequest,
	"token_limit_exceeded":     chat.UpstreamBadRequest,
	"string_too_long":          chat.UpstreamBadRequest,
	"invalid_request":          chat.UpstreamBadRequest,
	"invalid_request_error":    chat.UpstreamBadRequest,
	"invalid_prompt":           chat.UpstreamBadRequest,
	"not_found":                chat.UpstreamBadRequest,
	"payload_too_large":        chat.UpstreamBadRequest,
	"unprocessable":            chat.UpstreamBadRequest,
}

// unmarshal is json.Unmarshal that passes over fields of an unexpected type.
func unmarshal(data []byte, to any) error {
	err := json.Unmarshal(data, to)
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return nil
	}
	return err
}

// chunk returns what the event says of choice 0, without its calls. Both results
// may be set: a failed answer still has its usage.
func (e *event) chunk() (chat.Chunk, error) {
	chunk := chat.Chunk{Usage: e.Usage.chat(), Model: e.Model, UpstreamID: e.ID}
	failed := e.Error.UpstreamError
	for _, choice := range e.Choices {
		if choice.Index != 0 {
			if reason := finishReason(choice.FinishReason); reason == chat.FinishToolCalls {
				chunk.FinishReason = cmp.Or(chunk.FinishReason, reason)
			}
			continue
		}
		chunk.Text = first(choice.Delta.Content, choice.Message.Content, choice.Delta.Refusal, choice.Message.Refusal)
		chunk.Reasoning = first(choice.Delta.Reasoning, choice.Delta.ReasoningContent,
			choice.Message.Reasoning, choice.Message.ReasoningContent)
		chunk.Annotations = citations(choice.Delta.Annotations, choice.Message.Annotations)
		chunk.ReasoningDetails = details(choice.Delta.ReasoningDetails, choice.Message.ReasoningDetails)
		if choice.FinishReason != "error" {
			chunk.FinishReason = cmp.Or(finishReason(choice.FinishReason), chunk.FinishReason)
		} else if failed == nil {
			failed = broken(errSaidError)
		}
		if choice.Error.UpstreamError != nil {
			failed = choice.Error.UpstreamError
		}
	}
	if failed != nil {
		chunk.FinishReason = ""
		return chunk, failed
	}
	return chunk, nil
}

// citations returns the pages that a text refers to; nil where there are none.
func citations(lists ...[]annotation) []chat.Annotation {
	var found []chat.Annotation
	for _, list := range lists {
		for _, a := range list {
			switch {
			case a.Type != "url_citation":
			case a.Citation.URL != "":
				found = append(found, chat.Annotation{URL: a.Citation.URL, Title: a.Citation.Title, Index: a.Citation.EndIndex})
			case a.URL != "":
				found = append(found, chat.Annotation{URL: a.URL, Title: a.Title, Index: a.EndIndex})
			}
		}
	}
	return found
}

// calls returns the pieces of tool calls. Only one choice is asked for, but some
// servers put the calls in another choice than the text.
func (e *event) calls() []callPiece {
	var pieces []callPiece
	for n := range e.Choices {
		choice := &e.Choices[n]
		for _, list := range [][]callPiece{choice.Delta.ToolCalls, choice.Message.ToolCalls} {
			for _, piece := range list {
				piece.choice = choice.Index
				pieces = append(pieces, piece)
			}
		}
	}
	return pieces
}

func first(texts ...content) string {
	for _, text := range texts {
		if text != "" {
			return string(text)
		}
	}
	return ""
}

// details is the first of the values that is an array with something in it.
func details(values ...json.RawMessage) json.RawMessage {
	for _, value := range values {
		if len(value) > 0 && value[0] == '[' && len(bytes.Trim(value, "[]"+whiteSpace)) > 0 {
			return bytes.ToValidUTF8(value, []byte("\ufffd"))
		}
	}
	return nil
}

func (u *usage) chat() *chat.Usage {
	if u == nil {
		return nil
	}
	return &chat.Usage{
		InputTokens:     max(u.PromptTokens, 0),
		OutputTokens:    max(u.CompletionTokens, 0),
		CachedTokens:    max(u.PromptDetails.CachedTokens, 0),
		ReasoningTokens: max(u.CompletionDetails.ReasoningTokens, 0),
		Cost:            u.Cost,
	}
}

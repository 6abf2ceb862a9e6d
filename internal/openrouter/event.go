package openrouter

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// event has the fields that are read of a chat completion chunk, or of a chat
// completion. Other fields are ignored.
type event struct {
	ID      string     `json:"id"`
	Model   string     `json:"model"`
	Choices []choice   `json:"choices"`
	Usage   *usage     `json:"usage"`
	Error   eventError `json:"error"`
	// Object or Type is "error" if the event is itself an error. Message and Detail
	// are then its text.
	Object  string  `json:"object"`
	Type    string  `json:"type"`
	Message content `json:"message"`
	Detail  content `json:"detail"`
}

// isErrorObject reports whether the event is itself an error.
func (e *event) isErrorObject() bool {
	return e.Error.UpstreamError == nil && (e.Object == "error" || e.Type == "error")
}

// isUnknown reports whether the event has no field of a chunk.
func (e *event) isUnknown() bool {
	return e.Choices == nil && e.Usage == nil && e.ID == "" && e.Model == "" && e.Error.UpstreamError == nil && e.Type != "ping"
}

type choice struct {
	Index        int     `json:"index"`
	Delta        message `json:"delta"`
	Message      message `json:"message"`
	FinishReason string  `json:"finish_reason"`
	// Error is sent by OpenRouter in a response that is not a stream.
	Error eventError `json:"error"`
}

type message struct {
	Content content `json:"content"`
	// Refusal is the text of a model that declines to answer.
	Refusal content `json:"refusal"`
	// Reasoning is OpenRouter's field, ReasoningContent that of other servers. Some
	// send both.
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
	// Some servers send the fields without url_citation around them.
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

// content is a string, null, or a list of parts, of which those of type text are
// read. Half of a surrogate pair at its ends is in WTF-8; see [unquote].
type content string

// UnmarshalJSON accepts any JSON. JSON without a text is empty.
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

// eventError is an error in a response of status 200. OpenRouter sends an object,
// some servers a string. It is nil if there is no error.
type eventError struct{ *chat.UpstreamError }

// UnmarshalJSON accepts any JSON; null, false and "" are no error.
func (f *eventError) UnmarshalJSON(data []byte) error {
	f.UpstreamError = nil
	switch string(data) {
	case "null", "false", `""`:
		return nil
	}
	var object struct {
		// Code is a number, a number in a string, or a word.
		Code     json.RawMessage `json:"code"`
		Type     string          `json:"type"`
		Metadata struct {
			ErrorType string `json:"error_type"`
		} `json:"metadata"`
	}
	if err := unmarshal(data, &object); err != nil {
		return err
	}
	code := string(bytes.Trim(object.Code, `"`))
	status, _ := strconv.Atoi(code)
	f.UpstreamError = &chat.UpstreamError{Kind: kindOfStatus(status), Status: status}
	for _, errorType := range []string{object.Type, code, object.Metadata.ErrorType} {
		if kind, ok := kindOfErrorType[errorType]; ok {
			f.Kind = kind
		}
	}
	return nil
}

// kindOfErrorType has the error types of OpenRouter and of OpenAI-compatible
// servers; see OpenRouter's documentation, "Errors and Debugging".
var kindOfErrorType = map[string]chat.UpstreamKind{
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

// unmarshal is json.Unmarshal, except that it ignores fields of an unexpected type.
func unmarshal(data []byte, to any) error {
	err := json.Unmarshal(data, to)
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return nil
	}
	return err
}

// chunk returns the chunk of choice 0, without its calls. Both results may be set: a
// failed answer still has its usage.
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
			failed = broken(errFinishReasonError)
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

// citations returns the sources of a text, or nil.
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

// calls returns the pieces of tool calls of all choices. Requests ask for one
// choice, but some servers put the calls in another choice than the text.
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

// details returns the first value that is an array with elements, or nil.
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

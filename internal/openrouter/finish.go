package openrouter

import (
	"strings"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// finishReasons maps the finish reasons of OpenAI-compatible servers, in lower
// case, to the core's. OpenRouter sends those of OpenAI. Local servers and
// gateways also send those of their providers.
var finishReasons = map[string]string{
	"stop":          chat.FinishStop,
	"stop_sequence": chat.FinishStop,
	"end_turn":      chat.FinishStop,
	"eos":           chat.FinishStop,
	"eos_token":     chat.FinishStop,
	"complete":      chat.FinishStop,
	"completed":     chat.FinishStop,

	"length":                        chat.FinishLength,
	"max_tokens":                    chat.FinishLength,
	"max_output_tokens":             chat.FinishLength,
	"model_length":                  chat.FinishLength,
	"model_context_window_exceeded": chat.FinishLength,

	"content_filter":       chat.FinishContentFilter,
	"content_filtered":     chat.FinishContentFilter,
	"safety":               chat.FinishContentFilter,
	"recitation":           chat.FinishContentFilter,
	"blocklist":            chat.FinishContentFilter,
	"prohibited_content":   chat.FinishContentFilter,
	"spii":                 chat.FinishContentFilter,
	"refusal":              chat.FinishContentFilter,
	"sensitive":            chat.FinishContentFilter,
	"guardrail_intervened": chat.FinishContentFilter,

	"tool_calls":    chat.FinishToolCalls,
	"tool_call":     chat.FinishToolCalls,
	"tool_use":      chat.FinishToolCalls,
	"function_call": chat.FinishToolCalls,
}

// finishReason converts upstream's reason to one of the chat.Finish constants. It
// returns "" if upstream sent none. The text of an unknown reason is not kept, since
// it could be of any length.
func finishReason(upstream string) string {
	if upstream == "" || upstream == "null" {
		return ""
	}
	if reason, ok := finishReasons[strings.ToLower(upstream)]; ok {
		return reason
	}
	return chat.FinishUnknown
}

package openrouter_test

import (
	"slices"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// TestFinishReasons checks that every complete answer has one of the core's finish
// reasons.
func TestFinishReasons(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string]string{
		"stop": chat.FinishStop, "end_turn": chat.FinishStop, "STOP": chat.FinishStop, "eos": chat.FinishStop,
		"length": chat.FinishLength, "max_tokens": chat.FinishLength, "MAX_TOKENS": chat.FinishLength,
		"content_filter": chat.FinishContentFilter, "SAFETY": chat.FinishContentFilter, "refusal": chat.FinishContentFilter,
		"tool_calls": chat.FinishToolCalls, "tool_use": chat.FinishToolCalls, "function_call": chat.FinishToolCalls,
		"zebra": chat.FinishUnknown, "malformed_function_call": chat.FinishUnknown, " ": chat.FinishUnknown,
	} {
		t.Run(sent, func(t *testing.T) {
			t.Parallel()
			end := `data: {"choices":[{"index":0,"delta":{},"finish_reason":"` + sent + `"}]}` + "\n\n"
			server := upstream(t, replay(t, []byte(textEvent+end+doneEvent), "text/event-stream", 1<<20))
			result := ask(t.Context(), t, client(t, server.URL))
			if result.err != nil || result.text != "word " || result.finish != want {
				t.Errorf("text %q, finish reason %q, error %v; want the text and %q", result.text, result.finish, result.err, want)
			}
			if !slices.Contains(chat.FinishReasons(), result.finish) {
				t.Errorf("%q is no finish reason of the core", result.finish)
			}
		})
	}
}

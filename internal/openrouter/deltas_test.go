package openrouter_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// deltaEvent returns an event whose delta has one field with a JSON string.
func deltaEvent(field, body string) string {
	return `data: {"id":"gen-1","model":"m","choices":[{"index":0,"delta":{"` + field + `":"` + body + `"},"finish_reason":null}]}` + "\n\n"
}

func callEvent(body string) string {
	return `data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"look","arguments":"` + body + `"}}]}}]}` + "\n\n"
}

// answered reads an answer with these events.
func answered(t *testing.T, events ...string) got {
	t.Helper()
	server := upstream(t, replay(t, []byte(strings.Join(events, "")), "text/event-stream", 1<<20))
	return ask(t.Context(), t, client(t, server.URL))
}

// TestSurrogatesOverTwoDeltas checks that a surrogate pair in two deltas becomes one
// character, and that a half without its other half is replaced.
func TestSurrogatesOverTwoDeltas(t *testing.T) {
	t.Parallel()
	for want, bodies := range map[string][]string{
		"a🎉b":           {`a\ud83c`, `\udf89b`},
		"🎉🎉":            {`\uD83C`, `\uDF89\ud83c`, `\udf89`},
		"🎉 whole":       {`\ud83c\udf89`, ` whole`},
		"a🎉 later":      {`a\ud83c`, ``, `\udf89 later`},
		"a\ufffdb":      {`a\ud83c`, `b`},
		"a\ufffd🎉":      {`a\ud83c`, `\ud83c`, `\udf89`},
		"\ufffdb":       {`\udf89b`},
		"a\ufffd":       {`a\ud83c`},
		"a\ufffd\ufffd": {`a\ud83c`, `\ud83c`},
		`a\ud83c`:       {`a\\ud83c`},
		`\` + "🎉":       {`\\\ud83c`, `\udf89`},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			// The first two words make the reader learn the pattern of text chunks.
			text := []string{deltaEvent("content", "one "), deltaEvent("content", "two ")}
			var reasoning, calls []string
			for _, body := range bodies {
				text = append(text, deltaEvent("content", body))
				reasoning = append(reasoning, deltaEvent("reasoning", body))
				calls = append(calls, callEvent(body))
			}
			result := answered(t, slices.Concat(reasoning, text, calls, []string{stopEvent, doneEvent})...)
			if result.err != nil || result.text != "one two "+want || result.reasoning != want {
				t.Errorf("text %q, reasoning %q, error %v", result.text, result.reasoning, result.err)
			}
			if len(result.calls) != 1 || result.calls[0].Arguments != want {
				t.Errorf("calls %+v", result.calls)
			}
			if early := answered(t, append(text, doneEvent)...); early.text != "one two "+want || early.err != nil {
				t.Errorf("without a finish reason: text %q, error %v", early.text, early.err)
			}
		})
	}
}

// TestThinkTags checks that reasoning in tags at the start of an answer is not text.
// Each answer is read in one delta and with one character in each delta.
func TestThinkTags(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]struct{ reasoning, text string }{
		`<think>Hm.</think>Yes.`:                 {"Hm.", "Yes."},
		` \n <think>\nHm.\n</think>\n\nYes. No.`: {"\nHm.\n", "Yes. No."},
		`<think></think>Yes.`:                    {"", "Yes."},
		`<think>a < b </thin </think>Yes.`:       {"a < b </thin ", "Yes."},
		`<think>Hm. </thi`:                       {"Hm. </thi", ""},
		`<think>Hm.</think>A <think>tag</think>`: {"Hm.", "A <think>tag</think>"},
		`The tag <think> opens it.`:              {"", "The tag <think> opens it."},
		`<thinking> is another`:                  {"", "<thinking> is another"},
		`<thi`:                                   {"", "<thi"},
		` \n`:                                    {"", " \n"},
		`</think> alone`:                         {"", "</think> alone"},
	} {
		t.Run(answer, func(t *testing.T) {
			t.Parallel()
			var pieces strings.Builder
			for rest := answer; rest != ""; {
				size := 1
				if rest[0] == '\\' {
					size = 2
				}
				pieces.WriteString(deltaEvent("content", rest[:size]))
				rest = rest[size:]
			}
			for name, events := range map[string]string{"whole": deltaEvent("content", answer), "in pieces": pieces.String()} {
				result := answered(t, events, stopEvent, doneEvent)
				if result.err != nil || result.text != want.text || result.reasoning != want.reasoning || result.finish != chat.FinishStop {
					t.Errorf("%s: text %q, reasoning %q, error %v; want %q, %q", name, result.text, result.reasoning, result.err, want.text, want.reasoning)
				}
			}
			whole := `{"choices":[{"index":0,"message":{"content":"` + answer + `"},"finish_reason":"stop"}]}`
			if result := answered(t, whole); result.text != want.text || result.reasoning != want.reasoning || result.err != nil {
				t.Errorf("not streamed: text %q, reasoning %q, error %v", result.text, result.reasoning, result.err)
			}
			if cut := answered(t, pieces.String()); cut.text != want.text || cut.reasoning != want.reasoning || cut.err == nil {
				t.Errorf("cut: text %q, reasoning %q, error %v", cut.text, cut.reasoning, cut.err)
			}
		})
	}
}

// TestLeadingSpaceIsBounded checks that long white space is passed on as text, so that
// it counts for the limit of an answer.
func TestLeadingSpaceIsBounded(t *testing.T) {
	t.Parallel()
	blank := strings.Repeat(" ", 600)
	result := answered(t, deltaEvent("content", blank), deltaEvent("content", blank), deltaEvent("content", "<think>"), stopEvent, doneEvent)
	if result.err != nil || result.text != blank+blank+"<think>" || result.reasoning != "" {
		t.Errorf("text %q, reasoning %q, error %v", result.text, result.reasoning, result.err)
	}
}

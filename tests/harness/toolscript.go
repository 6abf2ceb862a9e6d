package harness

import "strings"

// Call is a tool call in a script.
type Call struct {
	ID, Name string
	// Arguments are JSON, or invalid text that a model may send instead.
	Arguments string
}

// argumentsPiece is the number of bytes of a call's arguments in a chunk.
const argumentsPiece = 8

// ToolCallAnswer returns a complete answer that calls tools and has no text.
func ToolCallAnswer(calls ...Call) Script {
	return Script{
		Comment("OPENROUTER PROCESSING"), ToolCalls(calls...), Finish("tool_calls"), Usage(12, 1, 0.000125), Done(),
	}
}

// ToolCalls sends calls as OpenAI does: a chunk with the id and the name of
// each, then its arguments in pieces. The pieces of several calls alternate.
func ToolCalls(calls ...Call) Step {
	var steps []Step
	for n, call := range calls {
		steps = append(steps, toolCall(map[string]any{
			"index": n, "id": call.ID, "type": "function", "function": map[string]any{"name": call.Name, "arguments": ""},
		}))
	}
	for at := 0; ; at += argumentsPiece {
		before := len(steps)
		for n, call := range calls {
			if at < len(call.Arguments) {
				steps = append(steps, toolCall(map[string]any{
					"index": n, "function": map[string]any{"arguments": pieceAt(call.Arguments, at)},
				}))
			}
		}
		if len(steps) == before {
			return sequence(steps)
		}
	}
}

// pieceAt returns the piece that charStart at a byte. Both ends move to the start of
// the next character.
func pieceAt(text string, at int) string {
	charStart := func(at int) int {
		for at < len(text) && text[at]&0xC0 == 0x80 {
			at++
		}
		return min(at, len(text))
	}
	return text[charStart(at):charStart(at+argumentsPiece)]
}

func toolCall(call map[string]any) Step {
	return Chunk(map[string]any{"role": "assistant", "content": nil, "tool_calls": []any{call}})
}

// Reasoning sends a chunk for each word of the reasoning, as OpenRouter does: in
// reasoning and in reasoning_details.
func Reasoning(text string) Step {
	var steps []Step
	for _, word := range strings.SplitAfter(text, " ") {
		steps = append(steps, Chunk(map[string]any{
			"role": "assistant", "content": "", "reasoning": word,
			"reasoning_details": []any{map[string]any{"type": "reasoning.text", "text": word, "format": "unknown", "index": 0}},
		}))
	}
	return sequence(steps)
}

// ReasoningContent sends reasoning in reasoning_content, as other servers do.
func ReasoningContent(text string) Step {
	var steps []Step
	for _, word := range strings.SplitAfter(text, " ") {
		steps = append(steps, Chunk(map[string]any{"reasoning_content": word}))
	}
	return sequence(steps)
}

// Chunk sends a chunk with the delta.
func Chunk(delta map[string]any) Step { return JSON(chunk(delta, nil)) }

func sequence(steps []Step) Step {
	return func(x *exchange) bool {
		for _, step := range steps {
			if !step(x) {
				return false
			}
		}
		return true
	}
}

package harness

import "strings"

// Call is a tool call in a script.
type Call struct {
	ID, Name string
	// Arguments are JSON, or what a model may write instead.
	Arguments string
}

// argumentsPiece is how many bytes of a call's arguments a chunk has.
const argumentsPiece = 8

// CallsTools returns a whole answer that calls tools and has no text.
func CallsTools(calls ...Call) Script {
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
		sent := len(steps)
		for n, call := range calls {
			if at < len(call.Arguments) {
				steps = append(steps, toolCall(map[string]any{
					"index": n, "function": map[string]any{"arguments": pieceAt(call.Arguments, at)},
				}))
			}
		}
		if len(steps) == sent {
			return all(steps)
		}
	}
}

// pieceAt returns the piece from the byte on, cut at the start of a character.
func pieceAt(text string, at int) string {
	begins := func(at int) int {
		for at < len(text) && text[at]&0xC0 == 0x80 {
			at++
		}
		return min(at, len(text))
	}
	return text[begins(at):begins(at+argumentsPiece)]
}

func toolCall(call map[string]any) Step {
	return Chunk(map[string]any{"role": "assistant", "content": nil, "tool_calls": []any{call}})
}

// Reasoning sends reasoning one word at a time, as OpenRouter does: as a text
// and in its details.
func Reasoning(text string) Step {
	var steps []Step
	for _, word := range strings.SplitAfter(text, " ") {
		steps = append(steps, Chunk(map[string]any{
			"role": "assistant", "content": "", "reasoning": word,
			"reasoning_details": []any{map[string]any{"type": "reasoning.text", "text": word, "format": "unknown", "index": 0}},
		}))
	}
	return all(steps)
}

// ReasoningContent sends reasoning as other servers do.
func ReasoningContent(text string) Step {
	var steps []Step
	for _, word := range strings.SplitAfter(text, " ") {
		steps = append(steps, Chunk(map[string]any{"reasoning_content": word}))
	}
	return all(steps)
}

// Chunk sends a chunk with any delta.
func Chunk(delta map[string]any) Step { return JSON(chunk(delta, nil)) }

func all(steps []Step) Step {
	return func(x *exchange) bool {
		for _, step := range steps {
			if !step(x) {
				return false
			}
		}
		return true
	}
}

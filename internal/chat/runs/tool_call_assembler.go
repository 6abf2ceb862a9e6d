package runs

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// toolCallAssembler joins the pieces of a step's tool calls, and collects the
// reasoning details that belong to them. Pieces are joined at the end of the
// step, so that the time does not grow with the square of their number.
type toolCallAssembler struct {
	calls []chat.ToolCall
	// index is upstream's index of each call, and arguments its bytes so far.
	index     []int
	arguments [][]byte
	details   []json.RawMessage
}

// maxCalls is how many tools a model may call in one step.
const maxCalls = 32

// any reports whether the model has begun to call a tool.
func (a *toolCallAssembler) any() bool { return len(a.calls) > 0 }

// add adds a chunk's pieces. It returns an error when there are too many calls.
func (a *toolCallAssembler) add(chunk *chat.Chunk) error {
	if len(chunk.ReasoningDetails) > 0 {
		a.details = append(a.details, chunk.ReasoningDetails)
	}
	for _, piece := range chunk.Calls {
		if err := a.addCall(piece); err != nil {
			return err
		}
	}
	return nil
}

func (a *toolCallAssembler) addCall(piece chat.ToolCallDelta) error {
	at := slices.Index(a.index, piece.Index)
	if at < 0 {
		if len(a.calls) == maxCalls {
			return cancelled{code: chat.FailureTooManySteps}
		}
		at = len(a.calls)
		a.calls, a.index, a.arguments = append(a.calls, chat.ToolCall{}), append(a.index, piece.Index), append(a.arguments, nil)
	}
	call := &a.calls[at]
	if call.ID == "" {
		call.ID = piece.ID
	}
	if call.Name == "" {
		call.Name = piece.Name
	}
	a.arguments[at] = append(a.arguments[at], piece.Arguments...)
	return nil
}

// complete returns the calls. Each has an id, also where upstream sent none, and
// arguments that are an object; otherwise it keeps what the model wrote, and a
// result that says what is wrong with it.
func (a *toolCallAssembler) complete() []chat.ToolCall {
	for n := range a.calls {
		call := &a.calls[n]
		call.ID, call.Name, call.Arguments = replaceNUL(call.ID), replaceNUL(call.Name), replaceNUL(string(a.arguments[n]))
		if call.ID == "" {
			call.ID = "call_" + newID().String()
		}
		object, fault := readArguments(call.Arguments)
		if fault != "" {
			result := "Not called: " + fault + ". Call it again with a JSON object."
			call.Result, call.CallFailed = &result, true
			continue
		}
		call.Arguments = object
	}
	return a.calls
}

// joinArrays joins JSON arrays. It leaves out empty ones, and any other JSON.
func joinArrays(arrays []json.RawMessage) json.RawMessage {
	var filled [][]byte
	for _, array := range arrays {
		if len(array) > 2 && array[0] == '[' && array[len(array)-1] == ']' {
			filled = append(filled, array[1:len(array)-1])
		}
	}
	if len(filled) == 0 {
		return nil
	}
	return slices.Concat([]byte("["), bytes.Join(filled, []byte(",")), []byte("]"))
}

// joinDetails joins the reasoning details of a step to the form in which they
// are stored and sent back.
func (s *Service) joinDetails(parts []json.RawMessage) json.RawMessage {
	details := joinArrays(parts)
	if details == nil || s.JoinDetails == nil {
		return details
	}
	return s.JoinDetails(details)
}

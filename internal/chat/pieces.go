package chat

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// pieces are what comes of a step's tool calls, and of the reasoning beside
// them. They are joined at the step's end, so that many take no longer than as
// much in few.
type pieces struct {
	calls []ToolCall
	// index is upstream's for each call, and arguments what has come of them.
	index     []int
	arguments [][]byte
	details   []json.RawMessage
}

// maxCalls is how many tools a model may call in one step.
const maxCalls = 32

// add takes what a chunk has. It returns an error when there are too many
// calls.
func (p *pieces) add(chunk *Chunk) error {
	if len(chunk.ReasoningDetails) > 0 {
		p.details = append(p.details, chunk.ReasoningDetails)
	}
	for _, piece := range chunk.Calls {
		if err := p.addCall(piece); err != nil {
			return err
		}
	}
	return nil
}

func (p *pieces) addCall(piece ToolCallDelta) error {
	at := slices.Index(p.index, piece.Index)
	if at < 0 {
		if len(p.calls) == maxCalls {
			return cancelled{FailureTooManySteps}
		}
		at = len(p.calls)
		p.calls, p.index, p.arguments = append(p.calls, ToolCall{}), append(p.index, piece.Index), append(p.arguments, nil)
	}
	call := &p.calls[at]
	if call.ID == "" {
		call.ID = piece.ID
	}
	if call.Name == "" {
		call.Name = piece.Name
	}
	p.arguments[at] = append(p.arguments[at], piece.Arguments...)
	return nil
}

// complete returns the calls; each has an id, whatever upstream gave it.
func (p *pieces) complete() []ToolCall {
	for n := range p.calls {
		call := &p.calls[n]
		call.ID, call.Name, call.Arguments = clean(call.ID), clean(call.Name), clean(string(p.arguments[n]))
		if call.ID == "" {
			call.ID = "call_" + newID().String()
		}
		if strings.TrimSpace(call.Arguments) == "" {
			call.Arguments = "{}"
		}
	}
	return p.calls
}

// joinArrays joins JSON arrays; what is none, or has nothing in it, is left out.
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

package openrouter

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"slices"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// maxCalls bounds the tool calls of one answer.
const maxCalls = 128

// callPiece is a piece of a tool call as upstream sends it. By OpenAI's reference,
// index identifies the call, the first piece has the id and the name, and each
// piece has a part of the arguments.
type callPiece struct {
	Index    *int   `json:"index"`
	ID       string `json:"id"`
	Function struct {
		Name      string    `json:"name"`
		Arguments arguments `json:"arguments"`
	} `json:"function"`

	// choice is the index of the choice that has the piece.
	choice int
}

// arguments are JSON in a string. Some servers send the JSON value itself.
type arguments string

// UnmarshalJSON accepts any JSON; null is empty.
func (a *arguments) UnmarshalJSON(data []byte) error {
	*a = ""
	switch data[0] {
	case '"':
		text, err := unquote(data)
		*a = arguments(text)
		return err
	case '{', '[':
		var compact bytes.Buffer
		if err := json.Compact(&compact, data); err != nil {
			return err
		}
		*a = arguments(bytes.ToValidUTF8(compact.Bytes(), []byte("\ufffd")))
	}
	return nil
}

// callAssembler assigns the pieces of an answer to their tool calls and numbers the
// calls in the order of their first pieces. It does not rely on the index alone:
// some servers omit it, send the same one for every call, or change it within a
// call. Some repeat the id and the name, or send no id.
type callAssembler struct {
	all []*call
	// emitted is the number of calls of which a delta was returned.
	emitted int
	// last is the call of the last piece.
	last *call
	// newID returns the id of a call without one; nil returns a random id.
	newID func() string
}

// call is a tool call so far.
type call struct {
	// number is the position among the emitted calls.
	number  int
	emitted bool
	// index is upstream's index in the choice; nil if it sent none.
	index  *int
	choice int
	// upstreamID is upstream's id; empty if it sent none.
	upstreamID, name string
	arguments        []byte
	pairs            pairJoiner
}

// add returns the deltas of the pieces of an event. The first delta of a call has
// its name, so a call without a name so far has no deltas.
func (c *callAssembler) add(pieces []callPiece) ([]chat.ToolCallDelta, error) {
	var deltas []chat.ToolCallDelta
	for n := range pieces {
		piece := &pieces[n]
		to := c.find(piece)
		if to == nil {
			if len(c.all) == maxCalls {
				return nil, broken(errTooManyCalls)
			}
			to = &call{index: piece.Index, choice: piece.choice}
			c.all = append(c.all, to)
		}
		c.last = to
		if delta, ok := c.addPiece(to, piece); ok {
			deltas = append(deltas, delta)
		}
	}
	return deltas, nil
}

// addPiece adds a piece to its call and returns the delta, if there is one.
func (c *callAssembler) addPiece(to *call, piece *callPiece) (chat.ToolCallDelta, bool) {
	added := to.pairs.join(string(piece.Function.Arguments))
	to.arguments = append(to.arguments, added...)
	if to.emitted {
		return chat.ToolCallDelta{Index: to.number, Arguments: added}, added != ""
	}
	if to.upstreamID == "" {
		to.upstreamID = piece.ID
	}
	if to.name = piece.Function.Name; to.name == "" {
		return chat.ToolCallDelta{}, false
	}
	id := c.idFor(to)
	to.number, to.emitted = c.emitted, true
	c.emitted++
	return chat.ToolCallDelta{Index: to.number, ID: id, Name: to.name, Arguments: string(to.arguments)}, true
}

// areIncomplete reports whether a call has no name or incomplete arguments.
func (c *callAssembler) areIncomplete() bool {
	return slices.ContainsFunc(c.all, func(one *call) bool {
		if !one.emitted {
			return true
		}
		decoder := json.NewDecoder(bytes.NewReader(one.arguments))
		for {
			var value json.RawMessage
			if err := decoder.Decode(&value); err != nil {
				return errors.Is(err, io.ErrUnexpectedEOF)
			}
		}
	})
}

// flush returns the arguments that were held back, at the end of the answer.
func (c *callAssembler) flush() []chat.ToolCallDelta {
	var deltas []chat.ToolCallDelta
	for _, one := range c.all {
		if rest := one.pairs.flush(); rest != "" && one.emitted {
			deltas = append(deltas, chat.ToolCallDelta{Index: one.number, Arguments: rest})
		}
	}
	return deltas
}

// idFor returns upstream's id if no other call has it, or else a new one.
func (c *callAssembler) idFor(one *call) string {
	taken := func(other *call) bool { return other.emitted && other.upstreamID == one.upstreamID }
	switch {
	case one.upstreamID != "" && !slices.ContainsFunc(c.all, taken):
		return one.upstreamID
	case c.newID != nil:
		return c.newID()
	}
	return "call_" + rand.Text()
}

// find returns the call that a piece continues, or nil if it begins a new call.
func (c *callAssembler) find(piece *callPiece) *call {
	if piece.Index == nil {
		return c.findWithoutIndex(piece)
	}
	for _, at := range slices.Backward(c.all) {
		if at.choice == piece.choice && at.index != nil && *at.index == *piece.Index {
			if at.isFollowedBy(piece) {
				return nil
			}
			return at
		}
	}
	if piece.ID == "" && piece.Function.Name == "" {
		return c.last
	}
	return nil
}

func (c *callAssembler) findWithoutIndex(piece *callPiece) *call {
	at := c.last
	if at != nil && at.choice != piece.choice {
		at = nil
	}
	if piece.ID != "" {
		known := slices.IndexFunc(c.all, func(one *call) bool { return one.upstreamID == piece.ID })
		if known >= 0 {
			at = c.all[known]
		}
	}
	if at == nil || at.isFollowedBy(piece) {
		return nil
	}
	return at
}

// isFollowedBy reports whether a piece that could continue the call begins another
// one: it has a name, and another name or id than the call. If an id is missing and
// the name is the same, it begins another call if the arguments of the call are
// complete and the piece has arguments.
func (c *call) isFollowedBy(piece *callPiece) bool {
	switch {
	case c.name == "" || piece.Function.Name == "":
		return false
	case piece.Function.Name != c.name:
		return true
	case piece.ID != "" && c.upstreamID != "":
		return piece.ID != c.upstreamID
	}
	return piece.Function.Arguments != "" && json.Valid(c.arguments)
}

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

// callPiece is a piece of a tool call as upstream sends it. By OpenAI's
// reference, index says of which call; the first piece has the id and the
// name, and the arguments come in pieces.
type callPiece struct {
	Index    *int   `json:"index"`
	ID       string `json:"id"`
	Function struct {
		Name      string    `json:"name"`
		Arguments arguments `json:"arguments"`
	} `json:"function"`

	// choice is the index of the choice that the piece came in.
	choice int
}

// arguments are a string of JSON, or from some servers the JSON itself.
type arguments string

// UnmarshalJSON takes any JSON; null is empty.
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

// calls puts the pieces of an answer's tool calls in order. Servers leave the
// index out, give every call the same one or go on under another; they repeat
// id and name, or send no id. So the calls are numbered here, as they begin.
type calls struct {
	all []*call
	// told is how many of them were passed on.
	told int
	// last is the call that the last piece was of.
	last *call
	// newID makes the id of a call that came without; nil makes a random one.
	newID func() string
}

// call is a tool call so far.
type call struct {
	// number is its place among those that were passed on; told says that it is.
	number int
	told   bool
	// index is upstream's own; nil where it gave none. Each choice counts for
	// itself.
	index  *int
	choice int
	// givenID is upstream's; empty where it gave none.
	givenID, name string
	arguments     []byte
	pairs         pairJoiner
}

// take is what the pieces of one event say. Nothing is told of a call before
// its name.
func (c *calls) take(pieces []callPiece) ([]chat.ToolCallDelta, error) {
	var deltas []chat.ToolCallDelta
	for n := range pieces {
		piece := &pieces[n]
		to := c.of(piece)
		if to == nil {
			if len(c.all) == maxCalls {
				return nil, broken(errTooMany)
			}
			to = &call{index: piece.Index, choice: piece.choice}
			c.all = append(c.all, to)
		}
		c.last = to
		if delta, ok := c.add(to, piece); ok {
			deltas = append(deltas, delta)
		}
	}
	return deltas, nil
}

// add is what the piece says of its call that is new.
func (c *calls) add(to *call, piece *callPiece) (chat.ToolCallDelta, bool) {
	said := to.pairs.join(string(piece.Function.Arguments))
	to.arguments = append(to.arguments, said...)
	if to.told {
		return chat.ToolCallDelta{Index: to.number, Arguments: said}, said != ""
	}
	if to.givenID == "" {
		to.givenID = piece.ID
	}
	if to.name = piece.Function.Name; to.name == "" {
		return chat.ToolCallDelta{}, false
	}
	id := c.idFor(to)
	to.number, to.told = c.told, true
	c.told++
	return chat.ToolCallDelta{Index: to.number, ID: id, Name: to.name, Arguments: string(to.arguments)}, true
}

// areCut reports whether a call has no name, or arguments that end too early.
func (c *calls) areCut() bool {
	return slices.ContainsFunc(c.all, func(one *call) bool {
		if !one.told {
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

// flush returns what the calls still hold back, at the end of the answer.
func (c *calls) flush() []chat.ToolCallDelta {
	var deltas []chat.ToolCallDelta
	for _, one := range c.all {
		if rest := one.pairs.flush(); rest != "" && one.told {
			deltas = append(deltas, chat.ToolCallDelta{Index: one.number, Arguments: rest})
		}
	}
	return deltas
}

// idFor is upstream's id, if it gave one to this call alone.
func (c *calls) idFor(one *call) string {
	taken := func(other *call) bool { return other.told && other.givenID == one.givenID }
	switch {
	case one.givenID != "" && !slices.ContainsFunc(c.all, taken):
		return one.givenID
	case c.newID != nil:
		return c.newID()
	}
	return "call_" + rand.Text()
}

// of is the call that a piece goes on with; nil where it begins one.
func (c *calls) of(piece *callPiece) *call {
	if piece.Index == nil {
		return c.withoutIndex(piece)
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

func (c *calls) withoutIndex(piece *callPiece) *call {
	at := c.last
	if at != nil && at.choice != piece.choice {
		at = nil
	}
	if piece.ID != "" {
		known := slices.IndexFunc(c.all, func(one *call) bool { return one.givenID == piece.ID })
		if known >= 0 {
			at = c.all[known]
		}
	}
	if at == nil || at.isFollowedBy(piece) {
		return nil
	}
	return at
}

// isFollowedBy says that a piece which could go on with the call begins
// another: one with a name, and another id or name. Where an id is missing and
// the name is the same, only arguments after whole ones tell.
func (c *call) isFollowedBy(piece *callPiece) bool {
	switch {
	case c.name == "" || piece.Function.Name == "":
		return false
	case piece.Function.Name != c.name:
		return true
	case piece.ID != "" && c.givenID != "":
		return piece.ID != c.givenID
	}
	return piece.Function.Arguments != "" && json.Valid(c.arguments)
}

package openrouter

import "strings"

// The tags between which a model writes its reasoning where its server does not
// separate it from the text: local servers and distilled models do that.
const (
	thinkStart = "<think>"
	thinkEnd   = "</think>"
	// maxLeadingSpace bounds the white space, in bytes, after which a tag still
	// begins the answer.
	maxLeadingSpace = 1 << 10
)

// thinkFilter separates the reasoning that an answer begins with from its text.
// Tags after the first text are text.
type thinkFilter struct {
	state thinkState
	// held is what cannot be assigned yet: white space and the beginning of a
	// tag.
	held string
}

type thinkState int

const (
	thinkUndecided thinkState = iota // no text has come
	thinkReasoning                   // between the tags
	thinkBlank                       // after the end tag, before any text
	thinkText                        // in the text
)

// split returns what a piece of the answer adds to the reasoning and to the
// text.
func (f *thinkFilter) split(piece string) (reasoning, text string) {
	if f.state == thinkText || piece == "" {
		return "", piece
	}
	piece = f.held + piece
	f.held = ""
	if f.state == thinkUndecided {
		trimmed := strings.TrimLeft(piece, whiteSpace)
		switch {
		case strings.HasPrefix(trimmed, thinkStart):
			f.state, piece = thinkReasoning, trimmed[len(thinkStart):]
		case strings.HasPrefix(thinkStart, trimmed) && len(piece) <= maxLeadingSpace:
			f.held = piece
			return "", ""
		default:
			f.state = thinkText
			return "", piece
		}
	}
	if f.state == thinkReasoning {
		before, after, ended := strings.Cut(piece, thinkEnd)
		if !ended {
			kept := len(piece) - beginningOf(thinkEnd, piece)
			f.held = piece[kept:]
			return piece[:kept], ""
		}
		f.state, reasoning, piece = thinkBlank, before, after
	}
	text = strings.TrimLeft(piece, whiteSpace)
	if text != "" {
		f.state = thinkText
	}
	return reasoning, text
}

// flush returns what was held back, at the end of the answer.
func (f *thinkFilter) flush() (reasoning, text string) {
	held := f.held
	f.held = ""
	if f.state == thinkReasoning {
		return held, ""
	}
	return "", held
}

// beginningOf returns the length of the longest end of the text that the tag
// begins with.
func beginningOf(tag, text string) int {
	for n := min(len(tag)-1, len(text)); n > 0; n-- {
		if strings.HasSuffix(text, tag[:n]) {
			return n
		}
	}
	return 0
}

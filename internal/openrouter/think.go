package openrouter

import "strings"

// The tags around the reasoning of a model whose server does not separate reasoning
// from text, as with some local servers and distilled models.
const (
	thinkStart = "<think>"
	thinkEnd   = "</think>"
	// maxLeadingSpace bounds the bytes of white space before the start tag.
	maxLeadingSpace = 1 << 10
)

// thinkFilter separates reasoning in tags at the start of an answer from the text.
// Tags after the first text belong to the text.
type thinkFilter struct {
	state thinkState
	// held is data that may be the start of a tag, with the white space before it.
	held string
}

type thinkState int

const (
	thinkUndecided thinkState = iota // before any text
	thinkReasoning                   // between the tags
	thinkBlank                       // after the end tag, before any text
	thinkText                        // in the text
)

// split returns the reasoning and the text in a piece of the answer.
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
			kept := len(piece) - overlap(thinkEnd, piece)
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

// flush returns the data that was held back, at the end of the answer.
func (f *thinkFilter) flush() (reasoning, text string) {
	held := f.held
	f.held = ""
	if f.state == thinkReasoning {
		return held, ""
	}
	return "", held
}

// overlap returns the length of the longest suffix of the text that is a proper
// prefix of the tag.
func overlap(tag, text string) int {
	for n := min(len(tag)-1, len(text)); n > 0; n-- {
		if strings.HasSuffix(text, tag[:n]) {
			return n
		}
	}
	return 0
}

package runs

import (
	"strings"
	"unicode"

	"github.com/rivo/uniseg"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/prompt"
)

const (
	// maxTitleChars is the length of a title in Unicode code points.
	maxTitleChars = 100
	// minTitleChars is how short a cut between words may make a title. Without
	// a space after it, the title is cut within a word.
	minTitleChars = 60
)

// titleFrom makes a title of a text: on one line, at most maxTitleChars long. A
// longer text is cut between words, or else between characters as a reader sees
// them (grapheme clusters, Unicode Annex 29).
func titleFrom(text string) string {
	text = oneLine(text)
	cut, space, chars := 0, 0, 0
	clusters := uniseg.NewGraphemes(text)
	for clusters.Next() {
		start, end := clusters.Positions()
		if clusters.Str() == " " && chars >= minTitleChars {
			space = start
		}
		if chars += len(clusters.Runes()); chars > maxTitleChars {
			switch {
			case space > 0:
				return text[:space]
			case cut > 0:
				return text[:cut]
			}
			return prompt.FirstChars(text, maxTitleChars) // One cluster is longer than a title.
		}
		cut = end
	}
	return text
}

// oneLine replaces white space and control characters by single spaces.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
}

// titleOf makes a title of a user message: of its text, or of its first file's
// name where it has none.
func titleOf(message chat.Item) string {
	title := titleFrom(message.Text())
	if title == "" && len(message.Attachments) > 0 {
		title = titleFrom(message.Attachments[0].Name)
	}
	return title
}

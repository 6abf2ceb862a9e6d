package chat

import (
	"strings"
	"unicode/utf8"
)

// maxTitleChars is the length of a title in Unicode code points.
const maxTitleChars = 100

// titleFrom makes a title of a user's message: on one line, at most
// maxTitleChars long, cut between words where there is more than one.
func titleFrom(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if utf8.RuneCountInString(text) <= maxTitleChars {
		return text
	}
	// One more than fits, so that a word ending exactly there stays whole.
	cut := string([]rune(text)[:maxTitleChars+1])
	if space := strings.LastIndexByte(cut, ' '); space > 0 {
		return cut[:space]
	}
	return string([]rune(text)[:maxTitleChars])
}

// titleOf makes a title of a user message: of its text, or of its first file's
// name where it has none.
func titleOf(message Item) string {
	title := titleFrom(message.Text())
	if title == "" && len(message.Attachments) > 0 {
		title = titleFrom(message.Attachments[0].Name)
	}
	return title
}

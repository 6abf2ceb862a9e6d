package demo

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
)

var asksThought = regexp.MustCompile(`(?i)^\s*think\b(?:\s+(?:about|of|hard|first)\b)?[\s:,.]*(?:then\b\s*)?`)

// thought splits "think" from the start of a message.
func thought(asked string) (rest string, thinks bool) {
	begin := asksThought.FindString(asked)
	if begin == "" {
		return asked, false
	}
	return asked[len(begin):], true
}

// reasoning returns the text of the demo's reasoning.
func reasoning(t turn) string {
	text := "The user wants me to think first. "
	switch {
	case strings.TrimSpace(t.asked) == "":
		return text + "But about what?"
	case len(t.calls()) > 0:
		return text + "A tool that I am offered fits this message. I call it."
	}
	return text + "The message is:\n\n" + quote(t.asked) + "\n\nNo model is behind me, so a fixed rule has the answer."
}

// pictures describes the images of the message; it is empty where there are none.
func (t turn) pictures() string {
	if len(t.images) == 0 {
		return ""
	}
	kinds := make([]string, len(t.images))
	for n, url := range t.images {
		kinds[n] = kindOf(url)
	}
	return fmt.Sprintf("I was sent %s (%s). Without a model the demo cannot see what is in it.",
		plural(len(t.images), "image"), strings.Join(kinds, "; "))
}

// kindOf returns an image's type and size, if the message contains it.
func kindOf(url string) string {
	head, data, ok := strings.Cut(url, ";base64,")
	kind, isData := strings.CutPrefix(head, "data:")
	if !ok || !isData {
		return "by its address"
	}
	image, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		return cut(kind, longestPiece) + ", broken"
	}
	return fmt.Sprintf("%s, %s", cut(kind, longestPiece), plural(len(image), "byte"))
}

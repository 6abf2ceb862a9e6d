package mcp

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// maxResult bounds a result, in characters.
const maxResult = 16_000

// textOf returns a result as a text for the model, of any length.
func textOf(result *sdk.CallToolResult) string {
	parts := make([]string, 0, len(result.Content))
	hasText := false // beside notes on content that is no text
	for _, content := range result.Content {
		part, isText := textOfContent(content)
		hasText = hasText || isText && part != ""
		if part != "" {
			parts = append(parts, part)
		}
	}
	if !hasText && result.StructuredContent != nil {
		if encoded, err := json.Marshal(result.StructuredContent); err == nil {
			parts = append(parts, string(encoded))
			hasText = true
		}
	}
	if result.IsError && !hasText {
		parts = slices.Insert(parts, 0, "The tool reported an error without a text.")
	}
	if len(parts) == 0 {
		return "The tool gave no text."
	}
	return strings.Join(parts, "\n")
}

// textOfContent returns a part of a result as a text. A note stands for content
// that is no text.
func textOfContent(content sdk.Content) (text string, isText bool) {
	switch content := content.(type) {
	case *sdk.TextContent:
		return content.Text, true
	case *sdk.ImageContent:
		return note("an image", content.MIMEType, len(content.Data)), false
	case *sdk.AudioContent:
		return note("a sound", content.MIMEType, len(content.Data)), false
	case *sdk.EmbeddedResource:
		resource := content.Resource
		if resource == nil {
			return "", false
		}
		if resource.Text == "" && len(resource.Blob) > 0 {
			return note("a file, "+resource.URI, resource.MIMEType, len(resource.Blob)), false
		}
		return resource.Text, true
	case *sdk.ResourceLink:
		return strings.TrimSpace(fmt.Sprintf("[a link: %s %s]", content.Name, content.URI)), false
	default:
		return "[something that is no text]", false
	}
}

func note(what, mimeType string, size int) string {
	return fmt.Sprintf("[%s, %s, %d bytes, which cannot be shown here]", what, mimeType, size)
}

// bounded returns a tool's text, cut with a note if it is too long.
func bounded(text string) string {
	text, left := cut(clean(text), maxResult)
	if left > 0 {
		text += fmt.Sprintf("\n[The result was cut here; %d more characters were left out.]", left)
	}
	return text
}

// clean removes what a database or a model service may refuse.
func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "�"), "\x00", "")
}

// cut returns the first characters of a text, and how many it leaves out.
func cut(text string, most int) (first string, left int) {
	if len(text) <= most {
		return text, 0
	}
	seen := 0
	for i := range text {
		if seen == most {
			return text[:i], utf8.RuneCountInString(text[i:])
		}
		seen++
	}
	return text, 0
}

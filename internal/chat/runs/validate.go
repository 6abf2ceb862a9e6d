package runs

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// checkRequest validates a message without the store.
func (s *Service) checkRequest(req RunRequest) error {
	if err := s.checkMessage(req.Content, len(req.Attachments) > 0); err != nil {
		return err
	}
	if err := s.checkQuote(req.QuotedText); err != nil {
		return err
	}
	return s.checkModel(req.Inference.Model)
}

// checkMessage validates a message's content. Its text may be blank where there
// are files.
func (s *Service) checkMessage(content []chat.Content, files bool) error {
	chars, blank, tagBytes := 0, true, 0
	for n, part := range content {
		if part.Tag != nil {
			tagBytes += len(part.Tag.Data) + len(part.Tag.ID)
		}
		chars += utf8.RuneCountInString(part.Text)
		blank = blank && strings.TrimSpace(part.Text) == ""
		if strings.ContainsRune(part.Text, 0) || hasNUL(part.Tag) {
			return chat.Errorf(chat.CodeInvalidRequest, "message.content[%d].text holds a NUL character; leave it out.", n)
		}
		if part.Tag != nil && tooDeep(part.Tag.Data) {
			return chat.Errorf(chat.CodeInvalidRequest, "message.content[%d].data is nested deeper than %d levels; make it flatter.", n, maxDepth)
		}
	}
	if len(content) > s.Limits.MessageChars { // Empty parts have no characters and yet a size.
		return chat.Errorf(chat.CodeMessageTooLong, "The message has %d parts; it may have as many as characters, %d.",
			len(content), s.Limits.MessageChars)
	}
	if tagBytes > maxTagBytes {
		return chat.Errorf(chat.CodeMessageTooLong, "The data of the message's tags is longer than %d bytes.", maxTagBytes)
	}
	if chars > s.Limits.MessageChars {
		return chat.Errorf(chat.CodeMessageTooLong, "The message has %d characters; the limit is %d characters.",
			chars, s.Limits.MessageChars)
	}
	if blank && !files {
		return chat.Errorf(chat.CodeEmptyMessage, "The message is empty; write something in message.content[0].text.")
	}
	return nil
}

// hasNUL reports whether a tag holds a NUL character, which PostgreSQL cannot
// store.
func hasNUL(tag *chat.Tag) bool {
	if tag == nil {
		return false
	}
	return strings.ContainsRune(tag.ID, 0) || strings.Contains(string(tag.Data), `\u0000`) ||
		tag.Group != nil && strings.ContainsRune(*tag.Group, 0)
}

// The bounds, in bytes, of the data of a message's tags, of a page's tools with
// their descriptions and schemas, and of the output of one of them. They cost
// tokens as the message does.
const (
	maxTagBytes    = 8 << 10
	maxToolsBytes  = 64 << 10
	maxOutputBytes = 64 << 10
)

// maxQuoteChars bounds a quoted text, in Unicode code points. It is part of an
// answer, so it may be longer than a message.
const maxQuoteChars = 10_000

func (s *Service) checkQuote(quote *string) error {
	switch {
	case quote == nil:
		return nil
	case utf8.RuneCountInString(*quote) > maxQuoteChars:
		return chat.Errorf(chat.CodeMessageTooLong, "The quoted text is longer than %d characters; quote less.", maxQuoteChars)
	case strings.ContainsRune(*quote, 0):
		return chat.Errorf(chat.CodeInvalidRequest, "The quoted text holds a NUL character; leave it out.")
	}
	return nil
}

// checkModel refuses a model that the operator has not listed.
func (s *Service) checkModel(model string) error {
	if model == "" || slices.Contains(s.offeredModels(), model) {
		return nil
	}
	return chat.Errorf(chat.CodeInvalidRequest, "This server does not offer the model that the message asks for; it offers %s.",
		strings.Join(s.offeredModels(), ", "))
}

// offeredModels are the models that a message may ask for, the default first.
func (s *Service) offeredModels() []string { return append([]string{s.ModelName}, s.Models...) }

// checkTitle validates a title that a user chose.
func checkTitle(title string) error {
	switch {
	case strings.TrimSpace(title) == "":
		return chat.Errorf(chat.CodeInvalidRequest, "The title is empty; give one, or delete the session.")
	case utf8.RuneCountInString(title) > maxTitleChars:
		return chat.Errorf(chat.CodeInvalidRequest, "The title is longer than %d characters.", maxTitleChars)
	case strings.ContainsRune(title, 0):
		return chat.Errorf(chat.CodeInvalidRequest, "The title holds a NUL character; leave it out.")
	}
	return nil
}

// checkOutput refuses an output of a client tool that is too large.
func checkOutput(output json.RawMessage) error {
	if len(output) > maxOutputBytes {
		return chat.Errorf(chat.CodeInvalidRequest, "The output is longer than %d bytes; return less.", maxOutputBytes)
	}
	if tooDeep(output) {
		return chat.Errorf(chat.CodeInvalidRequest, "The output is nested deeper than %d levels; return it flatter, or as a text.", maxDepth)
	}
	return nil
}

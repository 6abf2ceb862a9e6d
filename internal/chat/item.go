package chat

import (
	"strings"
	"time"

	"github.com/google/uuid"
)

// ItemType is the ChatKit type of a thread item.
type ItemType string

// The types of thread items, as the ChatKit protocol names them.
const (
	ItemUserMessage      ItemType = "user_message"
	ItemAssistantMessage ItemType = "assistant_message"
)

// ContentType is the ChatKit type of a part of a message.
type ContentType string

// The types of content parts.
const (
	ContentInputText  ContentType = "input_text"
	ContentOutputText ContentType = "output_text"
)

// Content is one part of a message.
type Content struct {
	Type ContentType
	Text string
}

// ToolCall is a call of a tool that an assistant message made, with its
// result.
type ToolCall struct {
	ID   string
	Name string
	// Arguments is the JSON the model wrote; it may be invalid.
	Arguments string
	// Result is nil until the tool has answered.
	Result *string
}

// Item is an entry of a thread.
type Item struct {
	ID        uuid.UUID
	SessionID uuid.UUID
	// RunID is the run that the item started or that made it.
	RunID     uuid.UUID
	Type      ItemType
	Content   []Content
	ToolCalls []ToolCall
	CreatedAt time.Time
}

// Text is the text of all parts, a line each.
func (i Item) Text() string {
	if len(i.Content) == 1 {
		return i.Content[0].Text
	}
	texts := make([]string, len(i.Content))
	for n, part := range i.Content {
		texts[n] = part.Text
	}
	return strings.Join(texts, "\n")
}

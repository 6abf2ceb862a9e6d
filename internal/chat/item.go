package chat

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"
)

// ItemType is the type of a thread item.
type ItemType string

// The types of thread items. All but ItemToolCalls are named as the ChatKit
// protocol does.
const (
	ItemUserMessage      ItemType = "user_message"
	ItemAssistantMessage ItemType = "assistant_message"
	ItemClientToolCall   ItemType = "client_tool_call"
	ItemWorkflow         ItemType = "workflow"
	// ItemHiddenContext is a note to the model. No client sees it.
	ItemHiddenContext ItemType = "sdk_hidden_context"
	// ItemToolCalls are calls of the server's tools without a text beside
	// them; the ChatKit protocol has no item for them.
	ItemToolCalls ItemType = "tool_calls"
)

// IsMessage says whether an item counts as one of its session's messages.
func (t ItemType) IsMessage() bool {
	return t != ItemWorkflow && t != ItemHiddenContext
}

// ContentType is the ChatKit type of a part of a message.
type ContentType string

// The types of content parts.
const (
	ContentInputText  ContentType = "input_text"
	ContentInputTag   ContentType = "input_tag"
	ContentOutputText ContentType = "output_text"
)

// Content is one part of a message.
type Content struct {
	Type ContentType
	Text string
	// Tag is what an input_tag has beside its text.
	Tag *Tag
	// Annotations are the sources of an output_text.
	Annotations []Annotation
}

// Annotation is a page of the web that a text refers to.
type Annotation struct {
	URL   string
	Title string
	// Index is where in the text it belongs, in upstream's counting; nil where
	// upstream did not say.
	Index *int
}

// Tag is a mention that the user typed: a reference to something that the page
// knows.
type Tag struct {
	ID string
	// Data is a JSON object of the page's own.
	Data        json.RawMessage `json:",omitempty"`
	Group       *string
	Interactive bool
}

// ToolCall is a call of a tool that the model made, with its result.
type ToolCall struct {
	ID   string
	Name string
	// Arguments is the JSON the model wrote; it may be invalid.
	Arguments string
	// Result is nil until the tool has answered.
	Result *string
	// CallFailed says that the tool gave no result, as in [ToolResult]; Result
	// says why.
	CallFailed bool
}

// ClientToolCall is a call of a tool that the page offers. The thread waits
// for its output.
type ClientToolCall struct {
	CallID string
	Name   string
	// Arguments is a JSON object.
	Arguments json.RawMessage `json:",omitempty"`
	// Output is any JSON; nil while the call is pending.
	Output json.RawMessage `json:",omitempty"`
	// Beside says that the call was made in one step with the item before it.
	Beside bool
}

// Workflow is the model's reasoning before an answer, a text for each thought.
type Workflow struct {
	Thoughts []string
	// Duration is zero until the reasoning is done. Clients see whole seconds.
	Duration time.Duration
	Done     bool
}

// Inference is a user message's choice of a model and a tool.
type Inference struct {
	// Model is empty where the server's own is asked.
	Model string
	// ToolChoice is the name of the tool that the model must call first.
	ToolChoice string
}

// Item is an entry of a thread. Its JSON, which event logs have, keeps all of it: a
// json.RawMessage that is nil stays nil.
type Item struct {
	ID        uuid.UUID
	SessionID uuid.UUID
	// RunID is the run that the item started or that made it.
	RunID     uuid.UUID
	Type      ItemType
	Content   []Content
	CreatedAt time.Time

	// ToolCalls are an assistant message's, or the item itself.
	ToolCalls []ToolCall
	// ReasoningDetails are upstream's own record of the reasoning in the step of
	// the item's calls; nil where there is none. No client sees them.
	ReasoningDetails json.RawMessage `json:",omitempty"`
	// FinishReason says why an assistant message is incomplete: FinishLength,
	// FinishContentFilter or FinishUnknown. It is empty where the model had
	// said all it had to say.
	FinishReason string
	// QuotedText is the text that a user message refers to; nil for none.
	QuotedText *string
	Inference  Inference
	// Attachments are those of a user message when it was sent, without their
	// UserID and CreatedAt.
	Attachments []Attachment
	// ClientCall and Workflow are set in items of these types alone.
	ClientCall *ClientToolCall
	Workflow   *Workflow
}

// Text is the text of all parts, a line each; a mention begins with an @.
func (i Item) Text() string {
	if len(i.Content) == 1 && i.Content[0].Tag == nil {
		return i.Content[0].Text
	}
	texts := make([]string, len(i.Content))
	tagged := false
	for n, part := range i.Content {
		texts[n] = part.Text
		if part.Tag != nil {
			texts[n], tagged = "@"+part.Text, true
		}
	}
	if tagged { // A mention stands within its sentence.
		return strings.Join(texts, "")
	}
	return strings.Join(texts, "\n")
}

// ItemQuery asks for a page of a thread's items.
type ItemQuery struct {
	Limit int
	// After is the last item of the page before; nil asks for the first page.
	After *uuid.UUID
	// Ascending is oldest first.
	Ascending bool
}

// ItemPage is a page of a thread's items.
type ItemPage struct {
	Items   []Item
	HasMore bool
}

// FeedbackKind is what a user thinks of an answer.
type FeedbackKind string

// The kinds of feedback, as the ChatKit protocol names them.
const (
	FeedbackPositive FeedbackKind = "positive"
	FeedbackNegative FeedbackKind = "negative"
)

package prompt

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

const (
	// unanswered is the result of a call of a server's tool that has none.
	unanswered = "The server stopped before the tool had answered."
	// noOutput is the result of a call of a client tool that has none.
	noOutput = "No output: the user sent another message instead."
)

// History is the part of a thread that the model is sent, the oldest message
// first. The files of its messages are not read yet; see [Files].
type History []message

// message is a message with what it needs until it is sent.
type message struct {
	chat.Message

	// attachments become Files and Images.
	attachments []chat.Attachment
	// sameStep says that the message's calls were made in one step with the
	// assistant message before it.
	sameStep bool
}

func newMessage(role chat.Role, content string) message {
	return message{Message: chat.Message{Role: role, Content: content}}
}

func newResult(callID, content string) message {
	return message{Message: chat.Message{Role: chat.RoleTool, ToolCallID: callID, Content: content}}
}

// NewHistory returns the messages of the newest items that fit into maxMessages
// messages and maxChars code points. An item is taken whole or left out, so a
// tool call never goes without its result. The history begins with a user
// message, since an answer without its question misleads the model. The newest
// item is always sent, with the user message that it belongs to.
func NewHistory(items []chat.Item, maxMessages, maxChars int) History {
	history := make(History, 0, min(len(items), maxMessages+1)) // the newest first
	chars := 0
	asked := false
	for n := len(items) - 1; n >= 0; n-- {
		taken := len(history)
		history = appendMessages(history, &items[n], !asked)
		chars += sizeOf(history[taken:])
		if asked && (len(history) > maxMessages || chars > maxChars) {
			history = history[:taken]
			break
		}
		asked = asked || items[n].Type == chat.ItemUserMessage
		slices.Reverse(history[taken:])
	}
	slices.Reverse(history)
	history = joinNeighbours(joinSteps(history))
	first := slices.IndexFunc(history, func(m message) bool { return m.Role == chat.RoleUser })
	if first < 0 {
		return history
	}
	return history[first:]
}

// WithInstructions returns the history after the operator's prompt and, where it
// is known, the user's locale. They are one message: some models take only one
// from the system.
func (h History) WithInstructions(prompt, locale string) History {
	if locale != "" {
		line := "The user's locale is " + locale + "."
		if prompt != "" {
			line = prompt + "\n\n" + line
		}
		prompt = line
	}
	if prompt == "" {
		return h
	}
	return append(History{newMessage(chat.RoleSystem, prompt)}, h...)
}

// Append returns the history with the newest item of the thread, and the size of
// its text in bytes.
func (h History) Append(item chat.Item) (longer History, size int) {
	longer = appendMessages(h, &item, true)
	for n := len(h); n < len(longer); n++ {
		size += len(longer[n].Content)
	}
	return longer, size
}

// Steps is the number of steps with calls since the last user message.
func (h History) Steps() int {
	steps := 0
	for n := range slices.Backward(h) {
		if h[n].Role == chat.RoleUser {
			break
		}
		if len(h[n].ToolCalls) > 0 {
			steps++
		}
	}
	return steps
}

// appendMessages adds the messages of an item. Tool calls are an assistant
// message with the calls, then a result for each. Quoted text and reasoning
// details are sent in the newest turn only: upstream wants the details back
// within a turn, but another model may answer the next one, and refuse them.
func appendMessages(to History, item *chat.Item, newest bool) History {
	switch item.Type {
	case chat.ItemUserMessage:
		return appendUserMessages(to, item, newest)
	case chat.ItemHiddenContext:
		return append(to, newMessage(chat.RoleUser, hidden(item.Text())))
	case chat.ItemClientToolCall:
		return appendClientCall(to, item, newest)
	case chat.ItemWorkflow:
		return to // Earlier reasoning is not sent.
	case chat.ItemAssistantMessage, chat.ItemToolCalls:
	}
	answer := newMessage(chat.RoleAssistant, item.Text())
	answer.ToolCalls = item.ToolCalls
	if strings.TrimSpace(answer.Content) == "" {
		if len(answer.ToolCalls) == 0 {
			return to
		}
		answer.Content = "" // Some upstreams refuse blank text.
	}
	if newest {
		answer.ReasoningDetails = item.ReasoningDetails
	}
	to = append(to, answer)
	for _, call := range item.ToolCalls {
		result := unanswered
		if call.Result != nil {
			result = *call.Result
		}
		to = append(to, newResult(call.ID, result))
	}
	return to
}

// appendUserMessages adds the message and, after it, what it refers to, as the
// openai-chatkit package's ThreadItemConverter does.
func appendUserMessages(to History, item *chat.Item, newest bool) History {
	sent := newMessage(chat.RoleUser, item.Text())
	sent.attachments = item.Attachments
	to = append(to, sent)
	if newest && item.QuotedText != nil && *item.QuotedText != "" {
		to = append(to, newMessage(chat.RoleUser, "The user is referring to this in particular: \n"+*item.QuotedText))
	}
	if mentions := mentionsOf(item.Content); mentions != "" {
		to = append(to, newMessage(chat.RoleUser, mentions))
	}
	return to
}

// mentionsOf is what the page knows of the things that the user mentions.
func mentionsOf(content []chat.Content) string {
	var text strings.Builder
	var seen []string
	for n := range content {
		part := &content[n]
		if part.Tag == nil || slices.Contains(seen, part.Text) {
			continue
		}
		seen = append(seen, part.Text)
		text.WriteString("\n- " + part.Text + " (id " + part.Tag.ID + "): " + string(part.Tag.Data))
	}
	if text.Len() == 0 {
		return ""
	}
	return "What the user mentions with @ is, as the page describes it:" + text.String()
}

// appendClientCall adds the call of a client tool with its result; upstream
// takes no call without one.
func appendClientCall(to History, item *chat.Item, newest bool) History {
	call := item.ClientCall
	if call == nil {
		return to
	}
	output := noOutput
	if call.Output != nil {
		output = string(call.Output)
	}
	asked := newMessage(chat.RoleAssistant, "")
	asked.ToolCalls = []chat.ToolCall{{ID: call.CallID, Name: call.Name, Arguments: string(call.Arguments)}}
	asked.sameStep = call.Beside
	if newest {
		asked.ReasoningDetails = item.ReasoningDetails
	}
	return append(to, asked, newResult(call.CallID, output))
}

// joinSteps makes one assistant message of each step, since reasoning details
// belong to a whole step.
func joinSteps(messages History) History {
	if !slices.ContainsFunc(messages, func(m message) bool { return m.sameStep }) {
		return messages
	}
	var joined History
	at := -1 // the last assistant message
	for _, m := range messages {
		switch {
		case m.Role == chat.RoleUser:
			at = -1
		case m.Role != chat.RoleAssistant:
		case m.sameStep && at >= 0:
			joined[at].ToolCalls = slices.Concat(joined[at].ToolCalls, m.ToolCalls)
			joined[at].ReasoningDetails = firstOf(joined[at].ReasoningDetails, m.ReasoningDetails)
			continue
		default:
			at = len(joined)
		}
		joined = append(joined, m)
	}
	return joined
}

// joinNeighbours makes one message of messages of the same role that follow each
// other: some models refuse a history in which user and assistant do not
// alternate. A message with tool calls is followed by their results, so it
// joins the message before it only.
func joinNeighbours(messages History) History {
	joined := messages[:0:0]
	for _, m := range messages {
		last := len(joined) - 1
		if last < 0 || m.Role == chat.RoleTool || m.Role != joined[last].Role || len(joined[last].ToolCalls) > 0 {
			joined = append(joined, m)
			continue
		}
		joined[last] = joinMessages(joined[last], m)
	}
	return joined
}

// joinMessages is the second message after the first, which has no tool calls.
func joinMessages(first, second message) message {
	texts := slices.DeleteFunc([]string{first.Content, second.Content}, func(text string) bool { return text == "" })
	second.Content = strings.Join(texts, "\n\n")
	second.attachments = slices.Concat(first.attachments, second.attachments)
	second.ReasoningDetails = firstOf(second.ReasoningDetails, first.ReasoningDetails)
	return second
}

// firstOf returns the details a, or b where a is nil.
func firstOf(a, b json.RawMessage) json.RawMessage {
	if a == nil {
		return b
	}
	return a
}

// hidden wraps a note as the openai-chatkit package does.
func hidden(note string) string {
	return "Hidden context for the agent (not shown to the user):\n<HiddenContext>\n" + note + "\n</HiddenContext>"
}

func sizeOf(messages History) int {
	size := 0
	for n := range messages {
		size += utf8.RuneCountInString(messages[n].Content)
		for _, call := range messages[n].ToolCalls {
			size += utf8.RuneCountInString(call.Name) + utf8.RuneCountInString(call.Arguments)
		}
	}
	return size
}

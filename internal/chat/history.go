package chat

import (
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// unanswered is the result of a call of a server's tool that has none.
	unanswered = "The server stopped before the tool had answered."
	// noOutput is the result of a call of a client tool that has none.
	noOutput = "No output: the user sent another message instead."
)

// appendMessages adds the messages of an item. Tool calls are an assistant
// message with the calls, then a result for each. Quoted text and reasoning
// details are sent in the newest turn only: upstream wants the details back
// within a turn, but another model may answer the next one, and refuse them.
func appendMessages(to []Message, item *Item, newest bool) []Message {
	switch item.Type {
	case ItemUserMessage:
		return appendUserMessages(to, item, newest)
	case ItemHiddenContext:
		return append(to, Message{Role: RoleUser, Content: hidden(item.Text())})
	case ItemClientToolCall:
		return appendClientCall(to, item, newest)
	case ItemWorkflow:
		return to // Earlier reasoning is not sent.
	case ItemAssistantMessage, ItemToolCalls:
	}
	answer := Message{Role: RoleAssistant, Content: item.Text(), ToolCalls: item.ToolCalls}
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
		to = append(to, Message{Role: RoleTool, ToolCallID: call.ID, Content: result})
	}
	return to
}

// appendUserMessages adds the message and, after it, what it refers to, as the
// openai-chatkit package's ThreadItemConverter does.
func appendUserMessages(to []Message, item *Item, newest bool) []Message {
	to = append(to, Message{Role: RoleUser, Content: item.Text(), attachments: item.Attachments})
	if newest && item.QuotedText != nil && *item.QuotedText != "" {
		to = append(to, Message{
			Role: RoleUser, Content: "The user is referring to this in particular: \n" + *item.QuotedText,
		})
	}
	if mentions := mentionsOf(item.Content); mentions != "" {
		to = append(to, Message{Role: RoleUser, Content: mentions})
	}
	return to
}

// mentionsOf is what the page knows of the things that the user mentions.
func mentionsOf(content []Content) string {
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
func appendClientCall(to []Message, item *Item, newest bool) []Message {
	call := item.ClientCall
	if call == nil {
		return to
	}
	output := noOutput
	if call.Output != nil {
		output = string(call.Output)
	}
	asked := Message{
		Role: RoleAssistant, ToolCalls: []ToolCall{{ID: call.CallID, Name: call.Name, Arguments: string(call.Arguments)}},
		sameStep: call.Beside,
	}
	if newest {
		asked.ReasoningDetails = item.ReasoningDetails
	}
	return append(to, asked, Message{Role: RoleTool, ToolCallID: call.CallID, Content: output})
}

// joinSteps makes one assistant message of each step, since reasoning details
// belong to a whole step.
func joinSteps(messages []Message) []Message {
	if !slices.ContainsFunc(messages, func(m Message) bool { return m.sameStep }) {
		return messages
	}
	var joined []Message
	at := -1 // the last assistant message
	for _, message := range messages {
		switch {
		case message.Role == RoleUser:
			at = -1
		case message.Role != RoleAssistant:
		case message.sameStep && at >= 0:
			joined[at].ToolCalls = slices.Concat(joined[at].ToolCalls, message.ToolCalls)
			if joined[at].ReasoningDetails == nil {
				joined[at].ReasoningDetails = message.ReasoningDetails
			}
			continue
		default:
			at = len(joined)
		}
		joined = append(joined, message)
	}
	return joined
}

// joinNeighbours makes one message of messages of the same role that follow each
// other: some models refuse a history in which user and assistant do not
// alternate. A message with tool calls is followed by their results, so it
// joins the message before it only.
func joinNeighbours(messages []Message) []Message {
	joined := messages[:0:0]
	for _, message := range messages {
		last := len(joined) - 1
		if last < 0 || message.Role == RoleTool || message.Role != joined[last].Role || len(joined[last].ToolCalls) > 0 {
			joined = append(joined, message)
			continue
		}
		joined[last] = joinMessages(joined[last], message)
	}
	return joined
}

// joinMessages is the second message after the first, which has no tool calls.
func joinMessages(first, second Message) Message {
	texts := slices.DeleteFunc([]string{first.Content, second.Content}, func(text string) bool { return text == "" })
	second.Content = strings.Join(texts, "\n\n")
	second.attachments = slices.Concat(first.attachments, second.attachments)
	if second.ReasoningDetails == nil {
		second.ReasoningDetails = first.ReasoningDetails
	}
	return second
}

// hidden wraps a note as the openai-chatkit package does.
func hidden(note string) string {
	return "Hidden context for the agent (not shown to the user):\n<HiddenContext>\n" + note + "\n</HiddenContext>"
}

// systemMessage is the prompt and, where it is known, the user's locale. It is one
// message: some models take only one from the system.
func systemMessage(prompt, locale string) string {
	if locale == "" {
		return prompt
	}
	line := "The user's locale is " + locale + "."
	if prompt == "" {
		return line
	}
	return prompt + "\n\n" + line
}

// boundHistory returns the messages that the model is sent of a thread: those of
// the newest items that fit into maxMessages messages and maxChars code points,
// oldest first. An item is taken whole or left out, so a tool call never goes
// without its result. The history begins with a user message, since an answer
// without its question misleads the model. The newest item is always sent, with
// the user message that it belongs to.
func boundHistory(items []Item, maxMessages, maxChars int) []Message {
	history := make([]Message, 0, min(len(items), maxMessages+1)) // the newest first
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
		asked = asked || items[n].Type == ItemUserMessage
		slices.Reverse(history[taken:])
	}
	slices.Reverse(history)
	history = joinNeighbours(joinSteps(history))
	first := slices.IndexFunc(history, func(m Message) bool { return m.Role == RoleUser })
	if first < 0 {
		return history
	}
	return history[first:]
}

// stepsOf is how many steps with calls a history has since its last user message.
func stepsOf(history []Message) int {
	steps := 0
	for _, message := range slices.Backward(history) {
		if message.Role == RoleUser {
			break
		}
		if len(message.ToolCalls) > 0 {
			steps++
		}
	}
	return steps
}

func sizeOf(messages []Message) int {
	size := 0
	for _, m := range messages {
		size += utf8.RuneCountInString(m.Content)
		for _, call := range m.ToolCalls {
			size += utf8.RuneCountInString(call.Name) + utf8.RuneCountInString(call.Arguments)
		}
	}
	return size
}

package chat

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// unanswered is the result of a call that was made and not heard of again.
const unanswered = "The server stopped before the tool had answered."

// messagesOf turns an item into what the model is sent of it: a tool exchange
// is an assistant message with its calls, then a result for each. What a user
// message quotes goes with the newest turn alone. So do the details of the
// reasoning: within a turn upstream wants them back, but another model may
// answer the next, and refuse them.
func messagesOf(item Item, newest bool) []Message {
	switch item.Type {
	case ItemUserMessage:
		return userMessages(item, newest)
	case ItemHiddenContext:
		return []Message{{Role: RoleUser, Content: hidden(item.Text())}}
	case ItemClientToolCall:
		return clientCallMessages(item, newest)
	case ItemWorkflow:
		return nil // What it thought then is no part of what was said.
	case ItemAssistantMessage, ItemToolCalls:
	}
	if item.Text() == "" && len(item.ToolCalls) == 0 {
		return nil
	}
	messages := []Message{{Role: RoleAssistant, Content: item.Text(), ToolCalls: item.ToolCalls}}
	if newest {
		messages[0].ReasoningDetails = item.ReasoningDetails
	}
	for _, call := range item.ToolCalls {
		result := unanswered
		if call.Result != nil {
			result = *call.Result
		}
		messages = append(messages, Message{Role: RoleTool, ToolCallID: call.ID, Content: result})
	}
	return messages
}

// userMessages is the message and, after it, what it refers to, as the
// openai-chatkit package's ThreadItemConverter does.
func userMessages(item Item, newest bool) []Message {
	messages := []Message{{Role: RoleUser, Content: item.Text(), attachments: item.Attachments}}
	if newest && item.QuotedText != nil && *item.QuotedText != "" {
		messages = append(messages, Message{
			Role: RoleUser, Content: "The user is referring to this in particular: \n" + *item.QuotedText,
		})
	}
	if mentions := mentionsOf(item.Content); mentions != "" {
		messages = append(messages, Message{Role: RoleUser, Content: mentions})
	}
	return messages
}

// mentionsOf tells the model what the page knows of what the user mentions.
func mentionsOf(content []Content) string {
	var told strings.Builder
	seen := map[string]bool{}
	for _, part := range content {
		if part.Tag == nil || seen[part.Text] {
			continue
		}
		seen[part.Text] = true
		told.WriteString("\n- " + part.Text + " (id " + part.Tag.ID + "): " + string(part.Tag.Data))
	}
	if told.Len() == 0 {
		return ""
	}
	return "What the user mentions with @ is, as the page describes it:" + told.String()
}

// clientCallMessages leaves out a call that nobody answered: upstream takes no
// call without its result.
func clientCallMessages(item Item, newest bool) []Message {
	call := item.ClientCall
	if call == nil || call.Output == nil {
		return nil
	}
	asked := Message{
		Role: RoleAssistant, ToolCalls: []ToolCall{{ID: call.CallID, Name: call.Name, Arguments: string(call.Arguments)}},
		beside: call.Beside,
	}
	if newest {
		asked.ReasoningDetails = item.ReasoningDetails
	}
	return []Message{asked, {Role: RoleTool, ToolCallID: call.CallID, Content: string(call.Output)}}
}

// joinSteps makes one message of what the model said in one step, as it said
// it: details belong to a whole step.
func joinSteps(messages []Message) []Message {
	var joined []Message
	at := -1 // the last assistant message
	for _, message := range messages {
		switch {
		case message.Role == RoleUser:
			at = -1
		case message.Role != RoleAssistant:
		case message.beside && at >= 0:
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

// hidden wraps a note as the openai-chatkit package does.
func hidden(note string) string {
	return "Hidden context for the agent (not shown to the user):\n<HiddenContext>\n" + note + "\n</HiddenContext>"
}

// boundHistory returns what the model is sent of a thread: the newest items
// that fit into maxMessages messages and maxChars code points, oldest first.
// An item is taken whole or left out, so a tool call never goes without its
// result. What remains begins with a user message, since an answer without
// its question misleads the model. The newest item is always sent, and the
// user message that a tool call belongs to.
func boundHistory(items []Item, maxMessages, maxChars int) []Message {
	var taken [][]Message
	count, chars := 0, 0
	asked := false
	for _, item := range slices.Backward(items) {
		messages := messagesOf(item, !asked)
		size := sizeOf(messages)
		if asked && (count+len(messages) > maxMessages || chars+size > maxChars) {
			break
		}
		asked = asked || item.Type == ItemUserMessage
		count, chars = count+len(messages), chars+size
		taken = append(taken, messages)
	}
	slices.Reverse(taken)
	history := joinSteps(slices.Concat(taken...))
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

package chat

import (
	"slices"
	"unicode/utf8"
)

// messagesOf turns an item into what the model is sent of it: a tool exchange
// is an assistant message with its calls, then a result for each.
func messagesOf(item Item) []Message {
	if item.Type == ItemUserMessage {
		return []Message{{Role: RoleUser, Content: item.Text()}}
	}
	messages := []Message{}
	if len(item.ToolCalls) > 0 {
		messages = append(messages, Message{Role: RoleAssistant, ToolCalls: item.ToolCalls})
		for _, call := range item.ToolCalls {
			result := ""
			if call.Result != nil {
				result = *call.Result
			}
			messages = append(messages, Message{Role: RoleTool, ToolCallID: call.ID, Content: result})
		}
	}
	if text := item.Text(); text != "" {
		messages = append(messages, Message{Role: RoleAssistant, Content: text})
	}
	return messages
}

// boundHistory returns what the model is sent of a thread: the newest items
// that fit into maxMessages messages and maxChars code points, oldest first.
// An item is taken whole or left out, so a tool call never goes without its
// result. What remains begins with a user message, since an answer without
// its question misleads the model. The newest item is always sent.
func boundHistory(items []Item, maxMessages, maxChars int) []Message {
	var taken [][]Message
	count, chars := 0, 0
	for _, item := range slices.Backward(items) {
		messages := messagesOf(item)
		size := sizeOf(messages)
		newest := len(taken) == 0
		if !newest && (count+len(messages) > maxMessages || chars+size > maxChars) {
			break
		}
		count, chars = count+len(messages), chars+size
		taken = append(taken, messages)
	}
	slices.Reverse(taken)
	history := slices.Concat(taken...)
	first := slices.IndexFunc(history, func(m Message) bool { return m.Role == RoleUser })
	if first < 0 {
		return history
	}
	return history[first:]
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

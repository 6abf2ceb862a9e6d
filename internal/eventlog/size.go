package eventlog

import "github.com/chatkit-rest/chatkit-rest/internal/chat"

// What a log and each of its entries take beside their texts, in bytes.
const (
	logBytes   = 512
	entryBytes = 128
	itemBytes  = 512
)

// sizeOf is about the memory that an event takes beside its entry.
func sizeOf(event chat.Event) int {
	switch event := event.(type) {
	case chat.ItemAdded:
		return sizeOfItem(event.Item)
	case chat.ItemDone:
		return sizeOfItem(event.Item)
	case chat.PartDone:
		return len(event.Text)
	case chat.ThoughtAdded:
		return len(event.Text)
	case chat.ThoughtUpdated:
		return len(event.Text)
	case chat.Progress:
		return len(event.Text)
	case chat.Notice:
		return len(event.Message)
	case chat.Failed:
		return len(event.Message)
	case chat.SessionUpdated:
		return itemBytes
	}
	return 0
}

func sizeOfItem(item chat.Item) int {
	size := itemBytes + len(item.ReasoningDetails)
	for n := range item.Content {
		size += len(item.Content[n].Text)
		if tag := item.Content[n].Tag; tag != nil {
			size += len(tag.Data)
		}
	}
	for n := range item.ToolCalls {
		size += len(item.ToolCalls[n].Arguments)
		if result := item.ToolCalls[n].Result; result != nil {
			size += len(*result)
		}
	}
	if item.Workflow != nil {
		for _, thought := range item.Workflow.Thoughts {
			size += len(thought)
		}
	}
	if item.ClientCall != nil {
		size += len(item.ClientCall.Arguments) + len(item.ClientCall.Output)
	}
	return size
}

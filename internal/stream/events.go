package stream

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// toAPIEvent turns an event into its generated type.
func toAPIEvent(event chat.Event, preview Preview) (any, error) {
	switch event := event.(type) {
	case chat.ItemDone:
		item, err := ToAPIItem(event.Item, preview)
		return api.ThreadItemDoneEvent{Type: api.ThreadItemDoneEventTypeThreadItemDone, Item: item}, err
	case chat.ItemAdded:
		item, err := ToAPIItem(event.Item, preview)
		return api.ThreadItemAddedEvent{Type: api.ThreadItemAddedEventTypeThreadItemAdded, Item: item}, err
	case chat.StreamOptions:
		return api.StreamOptionsEvent{
			Type:          api.StreamOptionsEventTypeStreamOptions,
			StreamOptions: api.StreamOptions{AllowCancel: event.AllowCancel},
		}, nil
	case chat.SessionUpdated:
		return api.ThreadUpdatedEvent{
			Type: api.ThreadUpdatedEventTypeThreadUpdated, Thread: ToAPIThread(event.Session, api.ThreadItemPage{}),
		}, nil
	case chat.Progress:
		return api.ProgressUpdateEvent{Type: api.ProgressUpdateEventTypeProgressUpdate, Text: event.Text}, nil
	default:
		return toAPIUpdated(event)
	}
}

// toAPIUpdated is for the events by which an item grows.
func toAPIUpdated(event chat.Event) (any, error) {
	var update api.ThreadItemUpdate
	var item uuid.UUID
	var err error
	switch event := event.(type) {
	case chat.PartAdded:
		item = event.ItemID
		err = update.FromAssistantMessageContentPartAdded(api.AssistantMessageContentPartAdded{
			Type:         api.AssistantMessageContentPartAddedTypeAdded,
			ContentIndex: event.Index, Content: toAPIOutputText(""),
		})
	case chat.PartDone:
		item = event.ItemID
		err = update.FromAssistantMessageContentPartDone(api.AssistantMessageContentPartDone{
			Type:         api.AssistantMessageContentPartDoneTypeDone,
			ContentIndex: event.Index, Content: toAPIOutputText(event.Text),
		})
	case chat.ThoughtAdded:
		item = event.ItemID
		err = update.FromWorkflowTaskAdded(api.WorkflowTaskAdded{
			Type: api.WorkflowTaskAddedTypeAdded, TaskIndex: event.Index, Task: toAPIThought(event.Text),
		})
	case chat.ThoughtUpdated:
		item = event.ItemID
		err = update.FromWorkflowTaskUpdated(api.WorkflowTaskUpdated{
			Type: api.WorkflowTaskUpdatedTypeUpdated, TaskIndex: event.Index, Task: toAPIThought(event.Text),
		})
	default:
		err = fmt.Errorf("no wire form for event %T", event)
	}
	return api.ThreadItemUpdatedEvent{
		Type: api.ThreadItemUpdatedEventTypeThreadItemUpdated, ItemID: item, Update: update,
	}, err
}

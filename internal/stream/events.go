package stream

import (
	"fmt"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// toAPIEvent converts an event to its type in openapi.yaml.
func toAPIEvent(event chat.Event, preview Preview, imageDomains []string) (any, error) {
	switch event := event.(type) {
	case chat.ItemDone:
		item, err := ToAPIItem(event.Item, preview)
		return itemEvent{Type: string(api.ThreadItemDoneEventTypeThreadItemDone), Item: item}, err
	case chat.ItemAdded:
		item, err := ToAPIItem(event.Item, preview)
		return itemEvent{Type: string(api.ThreadItemAddedEventTypeThreadItemAdded), Item: item}, err
	case chat.StreamOptions:
		return api.StreamOptionsEvent{
			Type:          api.StreamOptionsEventTypeStreamOptions,
			StreamOptions: api.StreamOptions{AllowCancel: event.AllowCancel},
		}, nil
	case chat.SessionUpdated:
		return ThreadEvent{
			Type: string(api.ThreadUpdatedEventTypeThreadUpdated), Thread: ToAPIThread(event.Session, ItemPage{}, imageDomains),
		}, nil
	case chat.Notice:
		return api.NoticeEvent{
			Type: api.NoticeEventTypeNotice, Level: api.NoticeEventLevelWarning, Message: event.Message,
		}, nil
	case chat.Progress:
		return api.ProgressUpdateEvent{Type: api.ProgressUpdateEventTypeProgressUpdate, Text: event.Text}, nil
	default:
		return toAPIUpdated(event)
	}
}

// toAPIUpdated converts the events that update an item.
func toAPIUpdated(event chat.Event) (any, error) {
	to := updatedEvent{Type: api.ThreadItemUpdatedEventTypeThreadItemUpdated}
	switch event := event.(type) {
	case chat.PartAdded:
		to.ItemID, to.Update = event.ItemID, api.AssistantMessageContentPartAdded{
			Type:         api.AssistantMessageContentPartAddedTypeAdded,
			ContentIndex: event.Index, Content: toAPIOutputText(""),
		}
	case chat.PartDone:
		to.ItemID, to.Update = event.ItemID, api.AssistantMessageContentPartDone{
			Type:         api.AssistantMessageContentPartDoneTypeDone,
			ContentIndex: event.Index, Content: toAPIOutputText(event.Text),
		}
	case chat.ThoughtAdded:
		to.ItemID, to.Update = event.ItemID, api.WorkflowTaskAdded{
			Type: api.WorkflowTaskAddedTypeAdded, TaskIndex: event.Index, Task: toAPIThought(event.Text),
		}
	case chat.ThoughtUpdated:
		to.ItemID, to.Update = event.ItemID, api.WorkflowTaskUpdated{
			Type: api.WorkflowTaskUpdatedTypeUpdated, TaskIndex: event.Index, Task: toAPIThought(event.Text),
		}
	default:
		return nil, fmt.Errorf("there is no conversion of event %T", event)
	}
	return to, nil
}

package stream

import (
	"fmt"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// ToAPIThread converts a session, with a page of its items, to a thread of the
// ChatKit protocol.
func ToAPIThread(session chat.Session, items ItemPage, imageDomains []string) Thread {
	if items.Data == nil {
		items.Data = []Item{}
	}
	thread := Thread{Items: items, Thread: api.Thread{
		ID: session.ID, CreatedAt: session.CreatedAt,
		Status:   api.ActiveStatus{Type: api.ActiveStatusTypeActive},
		Metadata: api.ThreadMetadata{},
	}}
	if session.Title != "" {
		thread.Title = &session.Title
	}
	if len(imageDomains) > 0 {
		thread.AllowedImageDomains = &imageDomains
	}
	return thread
}

// ToAPIItem converts an item to one of the ChatKit protocol. It returns an error for an
// item that is not sent to clients.
func ToAPIItem(item chat.Item, preview Preview) (Item, error) {
	switch item.Type {
	case chat.ItemUserMessage:
		return toAPIUserMessage(item, preview)
	case chat.ItemAssistantMessage:
		content := make([]api.AssistantMessageContent, len(item.Content))
		for n, part := range item.Content {
			content[n] = toAPIOutputText(part.Text)
			for _, source := range part.Annotations {
				content[n].Annotations = append(content[n].Annotations, toAPIAnnotation(source))
			}
		}
		return api.AssistantMessageItem{
			Type: api.AssistantMessageItemTypeAssistantMessage,
			ID:   item.ID, ThreadID: item.SessionID, CreatedAt: item.CreatedAt, Content: content,
		}, nil
	case chat.ItemClientToolCall:
		return toAPIClientCall(item), nil
	case chat.ItemWorkflow:
		return api.WorkflowItem{
			Type: api.WorkflowItemTypeWorkflow,
			ID:   item.ID, ThreadID: item.SessionID, CreatedAt: item.CreatedAt, Workflow: toAPIWorkflow(item.Workflow),
		}, nil
	case chat.ItemHiddenContext, chat.ItemToolCalls:
		return nil, fmt.Errorf("an item of type %s is not sent to clients", item.Type)
	default:
		return nil, fmt.Errorf("there is no conversion of an item of type %s", item.Type)
	}
}

func toAPIUserMessage(item chat.Item, preview Preview) (Item, error) {
	attachments, err := ToAPIAttachments(item, preview)
	if err != nil {
		return nil, err
	}
	message := api.UserMessageItem{
		Type: api.UserMessageItemTypeUserMessage,
		ID:   item.ID, ThreadID: item.SessionID, CreatedAt: item.CreatedAt,
		Content: make([]api.UserMessageContent, len(item.Content)), Attachments: attachments,
		QuotedText: item.QuotedText,
	}
	if item.Inference.Model != "" {
		message.InferenceOptions.Model = &item.Inference.Model
	}
	if item.Inference.ToolChoice != "" {
		message.InferenceOptions.ToolChoice = &api.ToolChoice{ID: item.Inference.ToolChoice}
	}
	for n, part := range item.Content {
		var err error
		if part.Tag != nil {
			err = message.Content[n].FromUserMessageTagContent(ToAPITag(part))
		} else {
			err = message.Content[n].FromUserMessageTextContent(api.UserMessageTextContent{
				Type: api.UserMessageTextContentTypeInputText, Text: part.Text,
			})
		}
		if err != nil {
			return nil, fmt.Errorf("convert message content: %w", err)
		}
	}
	return message, nil
}

// ToAPITag converts a tag of a message.
func ToAPITag(part chat.Content) api.UserMessageTagContent {
	return api.UserMessageTagContent{
		Type: api.UserMessageTagContentTypeInputTag, ID: part.Tag.ID, Text: part.Text,
		Data: part.Tag.Data, Group: part.Tag.Group, Interactive: part.Tag.Interactive,
	}
}

func toAPIOutputText(text string) api.AssistantMessageContent {
	return api.AssistantMessageContent{
		Type: api.AssistantMessageContentTypeOutputText, Text: text, Annotations: []api.Annotation{},
	}
}

func toAPIAnnotation(source chat.Annotation) api.Annotation {
	return api.Annotation{
		Type: api.AnnotationTypeAnnotation, Index: source.Index,
		Source: api.AnnotationSource{Type: api.AnnotationSourceTypeURL, Title: source.Title, URL: &source.URL},
	}
}

// toAPIClientCall converts a call of a client tool. It omits an output of null, as the
// Python package does.
func toAPIClientCall(item chat.Item) api.ClientToolCallItem {
	call := api.ClientToolCallItem{
		Type: api.ClientToolCallItemTypeClientToolCall,
		ID:   item.ID, ThreadID: item.SessionID, CreatedAt: item.CreatedAt,
		Status: api.ClientToolCallItemStatusPending,
		CallID: item.ClientCall.CallID, Name: item.ClientCall.Name, Arguments: item.ClientCall.Arguments,
	}
	if item.ClientCall.Output != nil {
		call.Status = api.ClientToolCallItemStatusCompleted
	}
	if string(item.ClientCall.Output) != "null" {
		call.Output = item.ClientCall.Output
	}
	return call
}

func toAPIWorkflow(workflow *chat.Workflow) api.Workflow {
	to := api.Workflow{Type: api.WorkflowTypeReasoning, Tasks: make([]api.ThoughtTask, len(workflow.Thoughts))}
	for n, text := range workflow.Thoughts {
		to.Tasks[n] = toAPIThought(text)
	}
	if workflow.Done {
		to.Summary = &api.DurationSummary{Duration: int(workflow.Duration.Seconds())}
	}
	return to
}

func toAPIThought(text string) api.ThoughtTask {
	return api.ThoughtTask{
		Type: api.ThoughtTaskTypeThought, StatusIndicator: api.ThoughtTaskStatusIndicatorNone, Content: text,
	}
}

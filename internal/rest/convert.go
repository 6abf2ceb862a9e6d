package rest

import (
	"fmt"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/stream"
)

func toAPISessionList(page chat.SessionPage) api.SessionListResponse {
	list := api.SessionListResponse{
		Success: true,
		Data:    make([]api.SessionSummary, len(page.Sessions)),
		Meta:    api.ListMeta{Total: int64(page.Total)},
	}
	for n, session := range page.Sessions {
		list.Data[n] = api.SessionSummary{
			ID: session.ID, UserID: session.UserID, Title: toAPITitle(session.Title),
			CreatedAt: session.CreatedAt, UpdatedAt: session.UpdatedAt, MessageCount: int64(session.MessageCount),
		}
	}
	if page.HasMore {
		after := page.Cursor().String()
		list.Meta.After = &after
	}
	return list
}

func toAPITitle(title string) *string {
	if title == "" {
		return nil
	}
	return &title
}

func toAPISession(session chat.Session, items []chat.Item, preview stream.Preview) (api.Session, error) {
	messages := make([]api.Message, 0, len(items))
	for _, item := range items {
		if !item.Type.IsMessage() {
			continue
		}
		message, err := toAPIMessage(item, preview)
		if err != nil {
			return api.Session{}, err
		}
		messages = append(messages, message)
	}
	return api.Session{
		ID: session.ID, UserID: session.UserID, Title: toAPITitle(session.Title),
		CreatedAt: session.CreatedAt, UpdatedAt: session.UpdatedAt, Messages: messages,
	}, nil
}

func toAPIMessage(item chat.Item, preview stream.Preview) (api.Message, error) {
	message := api.Message{
		ID: item.ID, Role: api.MessageRoleUser, CreatedAt: item.CreatedAt,
		Content: make([]api.MessageContent, len(item.Content)),
	}
	if item.Type != chat.ItemUserMessage {
		message.Role = api.MessageRoleAssistant
	}
	if item.FinishReason != "" {
		message.FinishReason = (*api.MessageFinishReason)(&item.FinishReason)
	}
	for n, part := range item.Content {
		if err := toAPIContent(&message.Content[n], part); err != nil {
			return api.Message{}, err
		}
	}
	if len(item.Attachments) > 0 {
		attachments, err := stream.ToAPIAttachments(item, preview)
		if err != nil {
			return api.Message{}, err
		}
		message.Attachments = &attachments
	}
	if calls := toAPICalls(item); len(calls) > 0 {
		message.ToolCalls = &calls
	}
	return message, nil
}

// toAPICalls converts the calls of tools of the server and of the page.
func toAPICalls(item chat.Item) []api.ToolCall {
	if page := item.ClientCall; page != nil {
		call := api.ToolCall{ID: page.CallID, Name: page.Name, Arguments: string(page.Arguments)}
		if page.Output != nil {
			output := string(page.Output)
			call.Result = &output
		}
		return []api.ToolCall{call}
	}
	calls := make([]api.ToolCall, len(item.ToolCalls))
	for n, call := range item.ToolCalls {
		calls[n] = api.ToolCall{ID: call.ID, Name: call.Name, Arguments: call.Arguments, Result: call.Result}
		if call.CallFailed {
			calls[n].CallFailed = &call.CallFailed
		}
	}
	return calls
}

func toAPIContent(to *api.MessageContent, part chat.Content) error {
	var err error
	switch {
	case part.Tag != nil:
		err = to.FromUserMessageTagContent(stream.ToAPITag(part))
	case part.Type == chat.ContentInputText:
		err = to.FromInputTextContent(api.InputTextContent{Type: api.InputTextContentTypeInputText, Text: part.Text})
	default:
		err = to.FromOutputTextContent(api.OutputTextContent{Type: api.OutputTextContentTypeOutputText, Text: part.Text})
	}
	if err != nil {
		return fmt.Errorf("convert message content: %w", err)
	}
	return nil
}

func fromAPIModel(model *string) chat.Inference {
	if model == nil {
		return chat.Inference{}
	}
	return chat.Inference{Model: *model}
}

func fromAPIContent(parts []api.CreateRunContent) []chat.Content {
	content := make([]chat.Content, len(parts))
	for n, part := range parts {
		content[n] = chat.Content{Type: chat.ContentInputText, Text: part.Text}
	}
	return content
}

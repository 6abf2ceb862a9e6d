package rest

import (
	"fmt"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
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
		after := encodeCursor(page.Sessions[len(page.Sessions)-1])
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

func toAPISession(session chat.Session, items []chat.Item) (api.Session, error) {
	messages := make([]api.Message, len(items))
	for n, item := range items {
		message, err := toAPIMessage(item)
		if err != nil {
			return api.Session{}, err
		}
		messages[n] = message
	}
	return api.Session{
		ID: session.ID, UserID: session.UserID, Title: toAPITitle(session.Title),
		CreatedAt: session.CreatedAt, UpdatedAt: session.UpdatedAt, Messages: messages,
	}, nil
}

func toAPIMessage(item chat.Item) (api.Message, error) {
	message := api.Message{
		ID: item.ID, Role: api.MessageRoleUser, CreatedAt: item.CreatedAt,
		Content: make([]api.MessageContent, len(item.Content)),
	}
	if item.Type == chat.ItemAssistantMessage {
		message.Role = api.MessageRoleAssistant
	}
	for n, part := range item.Content {
		if err := toAPIContent(&message.Content[n], part); err != nil {
			return api.Message{}, err
		}
	}
	if len(item.ToolCalls) > 0 {
		calls := make([]api.ToolCall, len(item.ToolCalls))
		for n, call := range item.ToolCalls {
			calls[n] = api.ToolCall{ID: call.ID, Name: call.Name, Arguments: call.Arguments, Result: call.Result}
		}
		message.ToolCalls = &calls
	}
	return message, nil
}

func toAPIContent(to *api.MessageContent, part chat.Content) error {
	var err error
	if part.Type == chat.ContentInputText {
		err = to.FromInputTextContent(api.InputTextContent{Type: api.InputTextContentTypeInputText, Text: part.Text})
	} else {
		err = to.FromOutputTextContent(api.OutputTextContent{Type: api.OutputTextContentTypeOutputText, Text: part.Text})
	}
	if err != nil {
		return fmt.Errorf("convert message content: %w", err)
	}
	return nil
}

func fromAPIContent(parts []api.CreateRunContent) []chat.Content {
	content := make([]chat.Content, len(parts))
	for n, part := range parts {
		content[n] = chat.Content{Type: chat.ContentInputText, Text: part.Text}
	}
	return content
}

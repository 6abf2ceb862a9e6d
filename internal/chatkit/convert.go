package chatkit

import (
	"context"
	"fmt"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/auth"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/runs"
	"github.com/chatkit-rest/chatkit-rest/internal/locale"
)

func fromAPIInput(
	ctx context.Context, input api.UserMessageInput, metadata *api.RequestMetadata,
) (runs.RunRequest, error) {
	req := runs.RunRequest{
		UserID: auth.UserID(ctx), QuotedText: input.QuotedText, ClientTools: fromAPITools(metadata),
		Attachments: input.Attachments, Locale: locale.FromContext(ctx),
		Content: make([]chat.Content, len(input.Content)),
	}
	if input.InferenceOptions.Model != nil {
		req.Inference.Model = *input.InferenceOptions.Model
	}
	if input.InferenceOptions.ToolChoice != nil {
		req.Inference.ToolChoice = input.InferenceOptions.ToolChoice.ID
	}
	for n, part := range input.Content {
		value, err := part.ValueByDiscriminator()
		if err != nil {
			return runs.RunRequest{}, fmt.Errorf("read message content: %w", err)
		}
		switch part := value.(type) {
		case api.UserMessageTextContent:
			req.Content[n] = chat.Content{Type: chat.ContentInputText, Text: part.Text}
		case api.UserMessageTagContent:
			req.Content[n] = chat.Content{Type: chat.ContentInputTag, Text: part.Text, Tag: &chat.Tag{
				ID: part.ID, Data: part.Data, Group: part.Group, Interactive: part.Interactive,
			}}
		}
	}
	return req, nil
}

func fromAPITools(metadata *api.RequestMetadata) []chat.Tool {
	if metadata == nil || metadata.ClientTools == nil {
		return nil
	}
	tools := make([]chat.Tool, len(*metadata.ClientTools))
	for n, tool := range *metadata.ClientTools {
		tools[n] = chat.Tool{Name: tool.Name, Parameters: tool.Parameters}
		if tool.Description != nil {
			tools[n].Description = *tool.Description
		}
		if tools[n].Parameters == nil {
			tools[n].Parameters = []byte(`{"type":"object","properties":{}}`)
		}
	}
	return tools
}

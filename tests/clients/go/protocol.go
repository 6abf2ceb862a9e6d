package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/oapi-codegen/runtime/types"

	"example.com/conversation/generated/chatkit"
)

// useProtocol sends the question by the ChatKit protocol and finds the answer in
// the thread. The protocol has one operation; the type in its body selects the
// command.
func useProtocol(ctx context.Context, client *chatkit.ClientWithResponses, answer string) error {
	id, err := createThread(ctx, client)
	if err != nil {
		return err
	}
	var request chatkit.ChatKitRequest
	order := chatkit.ListOrderAsc
	err = request.FromItemsListReq(chatkit.ItemsListReq{
		Type: chatkit.ItemsListReqTypeItemsList, Params: chatkit.ItemsListParams{ThreadID: id, Order: &order},
	})
	if err != nil {
		return err
	}
	listed, err := client.ProcessChatKitWithResponse(ctx, request)
	if err != nil {
		return err
	}
	if listed.JSON200 == nil {
		return fmt.Errorf("list the items: %s", listed.Body)
	}
	page, err := listed.JSON200.AsThreadItemPage() // the response of items.list
	if err != nil || len(page.Data) != 2 {
		return fmt.Errorf("list the items: %s", listed.Body)
	}
	first, err := page.Data[0].AsUserMessageItem()
	if err != nil || first.Type != chatkit.UserMessageItemTypeUserMessage {
		return fmt.Errorf("the first item is not the question: %s", listed.Body)
	}
	second, err := page.Data[1].AsAssistantMessageItem()
	if err != nil || second.Content[0].Text != answer {
		return fmt.Errorf("the second item is not the answer: %s", listed.Body)
	}
	return nil
}

// createThread creates a thread with the question and reads its stream to the end.
func createThread(ctx context.Context, client chatkit.ClientInterface) (chatkit.SessionID, error) {
	var id chatkit.SessionID
	request, err := createThreadRequest()
	if err != nil {
		return id, err
	}
	response, err := client.ProcessChatKit(ctx, request)
	if err != nil {
		return id, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return id, fmt.Errorf("create a thread: %s", response.Status)
	}
	for event, err := range readEvents[chatkit.ChatKitStreamEvent](response.Body) {
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return id, err
		}
		value, err := event.ValueByDiscriminator()
		if err != nil {
			return id, err
		}
		switch event := value.(type) {
		case chatkit.ThreadCreatedEvent:
			id = event.Thread.ID
		case chatkit.ChatKitErrorEvent:
			return id, fmt.Errorf("create a thread: %v", event.Code)
		}
	}
	return id, nil
}

// createThreadRequest returns a request for a thread with the question.
func createThreadRequest() (chatkit.ChatKitRequest, error) {
	var request chatkit.ChatKitRequest
	var text chatkit.UserMessageContent
	err := text.FromUserMessageTextContent(chatkit.UserMessageTextContent{
		Type: chatkit.UserMessageTextContentTypeInputText, Text: question,
	})
	if err != nil {
		return request, err
	}
	err = request.FromThreadsCreateReq(chatkit.ThreadsCreateReq{
		Type: chatkit.ThreadsCreateReqTypeThreadsCreate,
		Params: chatkit.ThreadCreateParams{Input: chatkit.UserMessageInput{
			Content: []chatkit.UserMessageContent{text}, Attachments: []types.UUID{},
		}},
	})
	return request, err
}

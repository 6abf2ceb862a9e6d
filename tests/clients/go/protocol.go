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

// speakProtocol asks the question through the ChatKit protocol, one operation
// whose body says what is wanted, and finds the answer in the thread.
func speakProtocol(ctx context.Context, client *chatkit.ClientWithResponses, answer string) error {
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
	page, err := listed.JSON200.AsThreadItemPage() // as the request asked
	if err != nil || len(page.Data) != 2 {
		return fmt.Errorf("list the items: %s", listed.Body)
	}
	asked, err := page.Data[0].AsUserMessageItem()
	if err != nil || asked.Type != chatkit.UserMessageItemTypeUserMessage {
		return fmt.Errorf("the thread begins wrong: %s", listed.Body)
	}
	answered, err := page.Data[1].AsAssistantMessageItem()
	if err != nil || answered.Content[0].Text != answer {
		return fmt.Errorf("the thread ends wrong: %s", listed.Body)
	}
	return nil
}

// createThread makes a thread of the question and reads its stream to the end.
func createThread(ctx context.Context, client chatkit.ClientInterface) (chatkit.SessionID, error) {
	var id chatkit.SessionID
	request, err := firstMessage()
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

// firstMessage asks for a thread that begins with the question.
func firstMessage() (chatkit.ChatKitRequest, error) {
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

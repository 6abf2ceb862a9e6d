// Command conversation tests a client that oapi-codegen generated from the
// document of a running server.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"example.com/conversation/generated/chatkit"
)

const question = "What is 6 times 7?"

func main() {
	if err := converse(context.Background(), os.Getenv("CHATKIT_URL"), os.Getenv("CHATKIT_TOKEN")); err != nil {
		log.Fatal(err)
	}
}

func converse(ctx context.Context, url, token string) error {
	client, err := chatkit.NewClientWithResponses(url, chatkit.WithRequestEditorFn(bearer(token)))
	if err != nil {
		return err
	}
	id, err := createSession(ctx, client)
	if err != nil {
		return err
	}
	answer, err := createRun(ctx, client, id)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, answer)
	if err := readHistory(ctx, client, id, answer); err != nil {
		return err
	}
	if err := deleteSession(ctx, client, id); err != nil {
		return err
	}
	if err := useProtocol(ctx, client, answer); err != nil {
		return err
	}
	return exceedRateLimit(ctx, client)
}

// createSession creates a session and finds it in the list. This server allows
// one per user and refuses another with a typed 429.
func createSession(ctx context.Context, client *chatkit.ClientWithResponses) (chatkit.SessionID, error) {
	var id chatkit.SessionID
	created, err := client.CreateSessionWithResponse(ctx, chatkit.CreateSessionJSONRequestBody{})
	if err != nil {
		return id, err
	}
	if created.JSON200 == nil {
		return id, fmt.Errorf("create a session: %s", created.Body)
	}
	id = created.JSON200.Data.ID

	refused, err := client.CreateSessionWithResponse(ctx, chatkit.CreateSessionJSONRequestBody{})
	if err != nil {
		return id, err
	}
	if refused.JSON429 == nil || refused.JSON429.Error.Code != chatkit.ErrorCodeSessionLimit {
		return id, fmt.Errorf("create a second session: %s", refused.Body)
	}

	list, err := client.ListSessionsWithResponse(ctx, &chatkit.ListSessionsParams{Limit: new(10)})
	if err != nil {
		return id, err
	}
	if list.JSON200 == nil || len(list.JSON200.Data) != 1 || list.JSON200.Data[0].ID != id {
		return id, fmt.Errorf("list the sessions: %s", list.Body)
	}
	return id, nil
}

// readHistory checks that the history has the question and the answer.
func readHistory(ctx context.Context, client *chatkit.ClientWithResponses, id chatkit.SessionID, answer string) error {
	history, err := client.GetSessionWithResponse(ctx, id)
	if err != nil {
		return err
	}
	if history.JSON200 == nil || len(history.JSON200.Data.Messages) != 2 {
		return fmt.Errorf("read the history: %s", history.Body)
	}
	messages := history.JSON200.Data.Messages
	first, err := messages[0].Content[0].AsInputTextContent()
	if err != nil || messages[0].Role != chatkit.MessageRoleUser || first.Text != question {
		return fmt.Errorf("the first message is not the question: %s", history.Body)
	}
	second, err := messages[1].Content[0].AsOutputTextContent()
	if err != nil || messages[1].Role != chatkit.MessageRoleAssistant || second.Text != answer {
		return fmt.Errorf("the second message is not the answer: %s", history.Body)
	}
	return nil
}

// deleteSession deletes the session and checks that reading it returns a typed 404.
func deleteSession(ctx context.Context, client *chatkit.ClientWithResponses, id chatkit.SessionID) error {
	deleted, err := client.DeleteSessionWithResponse(ctx, id)
	if err != nil {
		return err
	}
	if deleted.JSON200 == nil {
		return fmt.Errorf("delete the session: %s", deleted.Body)
	}
	gone, err := client.GetSessionWithResponse(ctx, id)
	if err != nil {
		return err
	}
	if gone.JSON404 == nil || gone.JSON404.Error.Code != chatkit.ErrorCodeSessionNotFound {
		return fmt.Errorf("get a deleted session: %s", gone.Body)
	}
	return nil
}

// exceedRateLimit sends one request more than the ten a minute that this server
// allows.
func exceedRateLimit(ctx context.Context, client *chatkit.ClientWithResponses) error {
	if _, err := client.ListSessionsWithResponse(ctx, nil); err != nil {
		return err
	}
	limited, err := client.ListSessionsWithResponse(ctx, nil)
	if err != nil {
		return err
	}
	if limited.JSON429 == nil || limited.JSON429.Error.Code != chatkit.ErrorCodeRateLimitExceeded {
		return fmt.Errorf("send an eleventh request: %s", limited.Body)
	}
	if wait := limited.Headers429.RetryAfter; wait == nil || *wait <= 0 {
		return fmt.Errorf("send an eleventh request: Retry-After is %v", wait)
	}
	return nil
}

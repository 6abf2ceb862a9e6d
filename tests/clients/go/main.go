// Command conversation talks to a server through a client that oapi-codegen
// made from the document which the server serves.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"conversation/generated/chatkit"
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

	// Make a session. This server allows one, and says so in a typed 429.
	created, err := client.CreateSessionWithResponse(ctx, chatkit.CreateSessionJSONRequestBody{})
	if err != nil || created.JSON200 == nil {
		return fmt.Errorf("create a session: %w %s", err, created.Body)
	}
	id := created.JSON200.Data.ID
	refused, err := client.CreateSessionWithResponse(ctx, chatkit.CreateSessionJSONRequestBody{})
	if err != nil || refused.JSON429 == nil || refused.JSON429.Error.Code != chatkit.ErrorCodeSessionLimit {
		return fmt.Errorf("a second session: %w %s", err, refused.Body)
	}

	list, err := client.ListSessionsWithResponse(ctx, &chatkit.ListSessionsParams{Limit: new(10)})
	if err != nil || list.JSON200 == nil || list.JSON200.Data[0].ID != id {
		return fmt.Errorf("list the sessions: %w %s", err, list.Body)
	}

	answer, err := ask(ctx, client, id)
	if err != nil {
		return err
	}
	fmt.Println(answer)

	history, err := client.GetSessionWithResponse(ctx, id)
	if err != nil || history.JSON200 == nil {
		return fmt.Errorf("read the history: %w %s", err, history.Body)
	}
	if err := check(history.JSON200.Data.Messages, answer); err != nil {
		return err
	}

	deleted, err := client.DeleteSessionWithResponse(ctx, id)
	if err != nil || deleted.JSON200 == nil {
		return fmt.Errorf("delete the session: %w %s", err, deleted.Body)
	}
	return refusals(ctx, client, id)
}

// check compares the history with what was said.
func check(messages []chatkit.Message, answer string) error {
	if len(messages) != 2 {
		return fmt.Errorf("the history has %d messages", len(messages))
	}
	asked, err := messages[0].Content[0].AsInputTextContent()
	if err != nil || messages[0].Role != chatkit.MessageRoleUser || asked.Text != question {
		return fmt.Errorf("the history begins with %v: %w", messages[0], err)
	}
	answered, err := messages[1].Content[0].AsOutputTextContent()
	if err != nil || messages[1].Role != chatkit.MessageRoleAssistant || answered.Text != answer {
		return fmt.Errorf("the history ends with %v: %w", messages[1], err)
	}
	return nil
}

// refusals sees a typed 404, and a 429 of the rate limit: this server allows
// eight requests a minute.
func refusals(ctx context.Context, client *chatkit.ClientWithResponses, id chatkit.SessionID) error {
	gone, err := client.GetSessionWithResponse(ctx, id)
	if err != nil || gone.JSON404 == nil || gone.JSON404.Error.Code != chatkit.ErrorCodeSessionNotFound {
		return fmt.Errorf("a deleted session: %w %s", err, gone.Body)
	}
	if _, err := client.ListSessionsWithResponse(ctx, nil); err != nil {
		return err
	}
	limited, err := client.ListSessionsWithResponse(ctx, nil)
	if err != nil || limited.JSON429 == nil || limited.JSON429.Error.Code != chatkit.ErrorCodeRateLimitExceeded {
		return fmt.Errorf("a ninth request: %w %s", err, limited.Body)
	}
	if wait := limited.Headers429.RetryAfter; wait == nil || *wait <= 0 {
		return fmt.Errorf("a ninth request: Retry-After is %v", wait)
	}
	return nil
}

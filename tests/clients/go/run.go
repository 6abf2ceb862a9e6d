package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"

	"example.com/conversation/generated/chatkit"
)

// bearer adds the token to each request.
func bearer(token string) chatkit.RequestEditorFn {
	return func(_ context.Context, request *http.Request) error {
		request.Header.Set("Authorization", "Bearer "+token)
		return nil
	}
}

// readEvents yields the events of a stream as they arrive. The stream of a run
// ends with [DONE]. A stream of the ChatKit protocol does not; its last error is
// io.EOF.
func readEvents[Event any](body io.Reader) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for lines := bufio.NewReader(body); ; {
			line, err := lines.ReadString('\n')
			data, isData := strings.CutPrefix(strings.TrimSpace(line), "data: ")
			var event Event
			switch {
			case data == "[DONE]":
				return
			case isData:
				err = json.Unmarshal([]byte(data), &event)
			case err == nil:
				continue
			}
			if !yield(event, err) || err != nil {
				return
			}
		}
	}
}

// createRun sends the question and reads the answer as it arrives.
func createRun(ctx context.Context, client chatkit.ClientInterface, id chatkit.SessionID) (string, error) {
	response, err := client.CreateRun(ctx, id, id, chatkit.CreateRunRequest{Message: chatkit.CreateRunMessage{
		Role: chatkit.CreateRunMessageRoleUser,
		Content: []chatkit.CreateRunContent{
			{Type: chatkit.CreateRunContentTypeInputText, Text: question},
		},
	}})
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("start a run: %s", response.Status)
	}
	var text, answer strings.Builder
	for event, err := range readEvents[chatkit.ThreadStreamEvent](response.Body) {
		if err == nil {
			err = handleEvent(event, &text, &answer)
		}
		if err != nil {
			return "", err
		}
	}
	if text.String() != answer.String() {
		return "", fmt.Errorf("the deltas %q are not the answer %q", &text, &answer)
	}
	return answer.String(), nil
}

// handleEvent adds a delta to text, and the text of a completed message to answer.
func handleEvent(event chatkit.ThreadStreamEvent, text, answer *strings.Builder) error {
	value, err := event.ValueByDiscriminator()
	if err != nil {
		return err
	}
	switch event := value.(type) {
	case chatkit.ThreadItemUpdatedEvent:
		update, err := event.Update.ValueByDiscriminator()
		if delta, ok := update.(chatkit.AssistantMessageContentPartTextDelta); ok {
			text.WriteString(delta.Delta)
		}
		return err
	case chatkit.ThreadItemDoneEvent:
		item, err := event.Item.ValueByDiscriminator()
		if message, ok := item.(chatkit.AssistantMessageItem); ok {
			for _, part := range message.Content {
				answer.WriteString(part.Text)
			}
		}
		return err
	case chatkit.ErrorEvent:
		return errors.New(event.Message)
	}
	return nil
}

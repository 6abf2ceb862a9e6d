package protocol_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

const doorPath = "/api/v1/chatkit"

// object is any JSON object.
type object = map[string]any

// post sends a protocol request.
func post(t *testing.T, user *harness.User, body any) harness.Answer {
	t.Helper()
	text, ok := body.(string)
	if !ok {
		raw, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		text = string(raw)
	}
	return user.Do(harness.Request{Method: http.MethodPost, Path: doorPath, Body: strings.NewReader(text)})
}

// plain returns the answer of a request without a stream.
func plain[Answer any](t *testing.T, user *harness.User, body any) Answer {
	t.Helper()
	got := post(t, user, body)
	if got.Status != http.StatusOK {
		t.Fatalf("%v: %d %s", body, got.Status, got.Body)
	}
	var answer Answer
	if err := json.Unmarshal(got.Body, &answer); err != nil {
		t.Fatalf("%v: %s", err, got.Body)
	}
	return answer
}

// event has the members of an event that tests check.
type event struct {
	Type   string `json:"type"`
	Item   item   `json:"item"`
	Thread struct {
		ID    uuid.UUID `json:"id"`
		Title string    `json:"title"`
	} `json:"thread"`
	Text string `json:"text"`
	Code string `json:"code"`
}

// item has the members of an item that tests check.
type item struct {
	ID      uuid.UUID `json:"id"`
	Type    string    `json:"type"`
	Status  string    `json:"status"`
	Name    string    `json:"name"`
	Content []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	} `json:"content"`
	Output json.RawMessage `json:"output"`
}

// stream sends a request that starts a run, and returns its events.
func stream(t *testing.T, user *harness.User, body any) []event {
	t.Helper()
	got := post(t, user, body)
	if got.Status != http.StatusOK || got.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%v: %d %s", body, got.Status, got.Body)
	}
	var events []event
	for line := range strings.Lines(string(got.Body)) {
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok {
			continue
		}
		var e event
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		events = append(events, e)
	}
	return events
}

// input returns the input of a message.
func input(text string) object {
	return object{
		"content":     []any{object{"type": "input_text", "text": text}},
		"attachments": []any{}, "inference_options": object{},
	}
}

func request(kind string, params any) object { return object{"type": kind, "params": params} }

// createThread starts a thread with a message, and returns its id and items.
func createThread(t *testing.T, user *harness.User, text string) (uuid.UUID, []item) {
	t.Helper()
	events := stream(t, user, request("threads.create", object{"input": input(text)}))
	if events[0].Type != "thread.created" {
		t.Fatalf("the stream begins with %+v", events[0])
	}
	return events[0].Thread.ID, items(t, user, events[0].Thread.ID)
}

// items returns all items of a thread, oldest first.
func items(t *testing.T, user *harness.User, thread uuid.UUID) []item {
	t.Helper()
	page := plain[struct {
		Data []item `json:"data"`
	}](t, user, request("items.list", object{"thread_id": thread, "order": "asc", "limit": 100}))
	return page.Data
}

// done returns the item of the last thread.item.done event of an item type.
func done(events []event, kind string) (found item) {
	for _, e := range events {
		if e.Type == "thread.item.done" && e.Item.Type == kind {
			found = e.Item
		}
	}
	return found
}

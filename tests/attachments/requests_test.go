package attachments_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"net/http"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

const protocolPath = "/api/v1/chatkit"

// attachment is an attachment as the server returns it.
type attachment struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	MimeType string `json:"mime_type"`
	Type     string `json:"type"`
	Upload   *struct {
		URL     string            `json:"url"`
		Method  string            `json:"method"`
		Headers map[string]string `json:"headers"`
	} `json:"upload_descriptor"`
	ThreadID   string `json:"thread_id"`
	PreviewURL string `json:"preview_url"`
}

// ask sends a request of the protocol.
func ask(user *harness.User, kind string, params any) harness.Answer {
	body, err := json.Marshal(map[string]any{"type": kind, "params": params})
	if err != nil {
		panic(err) // The test's parameters are not JSON.
	}
	return user.Do(harness.Request{Method: http.MethodPost, Path: protocolPath, Body: bytes.NewReader(body)})
}

// announce sends attachments.create.
func announce(user *harness.User, name, mimeType string, size int) harness.Answer {
	return ask(user, "attachments.create", map[string]any{"name": name, "mime_type": mimeType, "size": size})
}

// create creates an attachment and requires success.
func create(t *testing.T, user *harness.User, name, mimeType string, size int) attachment {
	t.Helper()
	answer := announce(user, name, mimeType, size)
	var created attachment
	if answer.Status != http.StatusOK || json.Unmarshal(answer.Body, &created) != nil || created.Upload == nil {
		t.Fatalf("create %s: %d %s", name, answer.Status, answer.Body)
	}
	return created
}

// upload sends a content to the signed URL, without a token.
func upload(t *testing.T, server *harness.Server, a attachment, content []byte) harness.Answer {
	t.Helper()
	header := http.Header{}
	for name, value := range a.Upload.Headers {
		header.Set(name, value)
	}
	return server.Do(t, harness.Request{
		Method: a.Upload.Method, Path: pathOf(t, server, a.Upload.URL), Header: header, Body: bytes.NewReader(content),
	})
}

// pathOf returns the path of one of the server's URLs.
func pathOf(t *testing.T, server *harness.Server, url string) string {
	t.Helper()
	path, ok := strings.CutPrefix(url, server.URL)
	if !ok {
		t.Fatalf("%s is not of the server at %s", url, server.URL)
	}
	return path
}

// attach announces and uploads a file.
func attach(t *testing.T, server *harness.Server, user *harness.User, name, mimeType string, content []byte) attachment {
	t.Helper()
	a := create(t, user, name, mimeType, len(content))
	want(t, upload(t, server, a, content), http.StatusNoContent, "")
	return a
}

// input returns the input of a message.
func input(text string, attachments ...string) map[string]any {
	return map[string]any{
		"content":     []any{map[string]any{"type": "input_text", "text": text}},
		"attachments": append([]string{}, attachments...), "inference_options": map[string]any{},
	}
}

// open starts a thread with a message and returns its id and its first item.
func open(t *testing.T, user *harness.User, text string, attachments ...string) (thread string, message item) {
	t.Helper()
	answer := ask(user, "threads.create", map[string]any{"input": input(text, attachments...)})
	if answer.Status != http.StatusOK {
		t.Fatalf("threads.create: %d %s", answer.Status, answer.Body)
	}
	for _, event := range events(t, answer) {
		switch {
		case event.Type == "thread.created":
			thread = event.Thread.ID
		case event.Type == "thread.item.done" && event.Item.Type == "user_message":
			message = event.Item
		case event.Type == "error":
			t.Fatalf("the run failed: %s", answer.Body)
		}
	}
	return thread, message
}

// say sends a further message of a thread.
func say(user *harness.User, thread, text string, attachments ...string) harness.Answer {
	return ask(user, "threads.add_user_message", map[string]any{"thread_id": thread, "input": input(text, attachments...)})
}

type item struct {
	Type        string       `json:"type"`
	Attachments []attachment `json:"attachments"`
}

type event struct {
	Type   string `json:"type"`
	Item   item   `json:"item"`
	Thread struct {
		ID string `json:"id"`
	} `json:"thread"`
}

// events returns the events of a stream.
func events(t *testing.T, answer harness.Answer) []event {
	t.Helper()
	var all []event
	for line := range strings.Lines(string(answer.Body)) {
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok {
			continue
		}
		var e event
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			t.Fatalf("%v: %s", err, data)
		}
		all = append(all, e)
	}
	return all
}

// items returns the items of a thread, oldest first.
func items(t *testing.T, user *harness.User, thread string) []item {
	t.Helper()
	answer := ask(user, "items.list", map[string]any{"thread_id": thread, "order": "asc"})
	var page struct {
		Data []item `json:"data"`
	}
	if answer.Status != http.StatusOK || json.Unmarshal(answer.Body, &page) != nil {
		t.Fatalf("items.list: %d %s", answer.Status, answer.Body)
	}
	return page.Data
}

func contentPath(a attachment) string { return "/api/v1/attachments/" + a.ID + "/content" }

// want fails the test unless the answer has this status and code.
func want(t *testing.T, answer harness.Answer, status int, code string) {
	t.Helper()
	if answer.Status != status || answer.Code() != code {
		t.Errorf("got %d %s, want %d %s: %.300s", answer.Status, answer.Code(), status, code, answer.Body)
	}
}

// picture returns a PNG.
func picture(t *testing.T) []byte {
	t.Helper()
	var content bytes.Buffer
	if err := png.Encode(&content, image.NewRGBA(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	return content.Bytes()
}

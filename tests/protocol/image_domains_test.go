package protocol_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// TestAllowedImageDomains: the setting's names are in every thread that the
// ChatKit API sends, and no thread has the field without the setting.
func TestAllowedImageDomains(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		setting string
		want    []string
	}{
		"unset": {"", nil},
		"set":   {"Images.example.com, cdn.example.net", []string{"images.example.com", "cdn.example.net"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := test.want
			server := harness.Start(t, harness.Options{Database: harness.SQLite, Env: map[string]string{"ALLOWED_IMAGE_DOMAINS": test.setting}})
			user := server.User(t)
			input := object{"content": []object{{"type": "input_text", "text": "Hello"}}, "attachments": []string{}, "inference_options": object{}}
			events := post(t, user, object{"type": "threads.create", "params": object{"input": input}})
			created := threadsIn(t, events)
			if len(created) < 2 {
				t.Fatalf("the stream has %d threads, want that of thread.created and of thread.updated: %s", len(created), events.Body)
			}
			id := created[0].ID
			for name, params := range map[string]object{
				"threads.get_by_id": {"thread_id": id}, "threads.list": {}, "threads.update": {"thread_id": id, "title": "Renamed"},
			} {
				created = append(created, threadsIn(t, post(t, user, object{"type": name, "params": params}))...)
			}
			if len(created) < 5 {
				t.Errorf("the answers have %d threads, want one each", len(created))
			}
			for _, thread := range created {
				if isSent := thread.Domains != nil; isSent != (want != nil) || !slices.Equal(thread.Domains, want) {
					t.Errorf("a thread has the domains %q, want %q", thread.Domains, want)
				}
			}
		})
	}
}

type threadWithDomains struct {
	ID      uuid.UUID `json:"id"`
	Domains []string  `json:"allowed_image_domains"`
}

// threadsIn returns the threads of an answer: of its events, its page or itself.
func threadsIn(t *testing.T, got harness.Answer) []threadWithDomains {
	t.Helper()
	if got.Status != http.StatusOK {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	var found []threadWithDomains
	for line := range strings.Lines(string(got.Body)) {
		text := strings.TrimPrefix(strings.TrimSpace(line), "data: ")
		var value struct {
			threadWithDomains

			Thread *threadWithDomains  `json:"thread"`
			Data   []threadWithDomains `json:"data"`
			Status json.RawMessage     `json:"status"`
		}
		if !strings.HasPrefix(text, "{") {
			continue
		}
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		switch {
		case value.Thread != nil:
			found = append(found, *value.Thread)
		case value.Status != nil:
			found = append(found, value.threadWithDomains)
		}
		found = append(found, value.Data...)
	}
	return found
}

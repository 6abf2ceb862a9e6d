//go:build chatkit

package chatkit_test

import (
	"encoding/json"
	"regexp"
	"strconv"
	"testing"
)

// memory holds the ids of a scenario's earlier answers.
type memory struct {
	prefix  string // of the server's tools
	threads []string
	items   map[string][]string // by type
	// attachments are those that were created.
	attachments []announced
	page        struct {
		After string `json:"after"`
		Data  []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
}

// announced is a created attachment and the way to upload it.
type announced struct {
	ID     string `json:"id"`
	Upload struct {
		URL     string            `json:"url"`
		Method  string            `json:"method"`
		Headers map[string]string `json:"headers"`
	} `json:"upload_descriptor"`
}

// note records the ids of an answer.
func (m *memory) note(r record) {
	for _, raw := range r.Events {
		var event struct {
			Type   string `json:"type"`
			Thread struct {
				ID string `json:"id"`
			} `json:"thread"`
			Item struct {
				ID   string `json:"id"`
				Type string `json:"type"`
			} `json:"item"`
		}
		_ = json.Unmarshal(raw, &event) // It was valid when it came.
		switch event.Type {
		case "thread.created":
			m.threads = append(m.threads, event.Thread.ID)
		case "thread.item.done":
			if m.items == nil {
				m.items = make(map[string][]string)
			}
			m.items[event.Item.Type] = append(m.items[event.Item.Type], event.Item.ID)
		}
	}
	if len(r.Events) == 0 {
		_ = json.Unmarshal(r.Body, &m.page) // An answer that is no page leaves the last.
		var a announced
		if json.Unmarshal(r.Body, &a) == nil && a.Upload.URL != "" {
			m.attachments = append(m.attachments, a)
		}
	}
}

var placeholder = regexp.MustCompile(`\{(thread|after|data|item|tool|attachment)(?::([a-z_]+))?(?::(\d+))?\}`)

// fill replaces the placeholders of a request: {thread} is the thread that was
// created last, {thread:1} the first; {item:user_message} the last item of a
// type that was done, {item:user_message:1} the first; {attachment} the last that was announced,
// {attachment:1} the first; {after} the last page's
// cursor, {data:1} the id of its first entry; {tool:x} is the name of tool x.
func (m *memory) fill(t *testing.T, request []byte) []byte {
	t.Helper()
	return placeholder.ReplaceAllFunc(request, func(found []byte) []byte {
		match := placeholder.FindSubmatch(found)
		var ids []string
		switch string(match[1]) {
		case "tool":
			return append([]byte(m.prefix), match[2]...)
		case "thread":
			ids = m.threads
		case "item":
			ids = m.items[string(match[2])]
		case "attachment":
			for _, a := range m.attachments {
				ids = append(ids, a.ID)
			}
		case "after":
			ids = []string{m.page.After}
		case "data":
			for _, entry := range m.page.Data {
				ids = append(ids, entry.ID)
			}
		}
		n := len(ids)
		if len(match[3]) > 0 {
			n, _ = strconv.Atoi(string(match[3])) // The pattern takes digits alone.
		}
		if n < 1 || n > len(ids) {
			t.Fatalf("no answer so far gave %s", found)
		}
		return []byte(ids[n-1])
	})
}

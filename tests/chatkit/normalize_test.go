//go:build chatkit

package chatkit_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// The replacements of values that differ between any two runs.
const (
	someTime     = "<time>"
	someDuration = "<duration>"
	someCursor   = "<cursor>"
	someURL      = "<url>"
)

// ourPrefix is the prefix of the names of tools of the MCP server "tasks".
const ourPrefix = "tasks__"

// naming names each id of a run by its kind and order: "thread 1",
// "user_message 2". Two runs are alike if the same names are in the same places.
type naming struct {
	names map[string]string
	count map[string]int
}

func newNaming() *naming {
	return &naming{names: make(map[string]string), count: make(map[string]int)}
}

func (n *naming) name(kind string, id any) any {
	text, ok := id.(string)
	if !ok {
		return id // A wrong type stays as it is, and differs.
	}
	if _, ok := n.names[text]; !ok {
		n.count[kind]++
		n.names[text] = fmt.Sprintf("%s %d", kind, n.count[kind])
	}
	return n.names[text]
}

// free are fields whose content comes from the client, the model or a tool.
var free = []string{"arguments", "output", "data", "metadata"}

// normal replaces the ids, times, durations and cursors of a JSON value.
func (n *naming) normal(value any) any {
	switch v := value.(type) {
	case []any:
		for i := range v {
			v[i] = n.normal(v[i])
		}
	case map[string]any:
		n.object(v)
	}
	return value
}

// withoutPrefix removes the prefix from the name of the chosen tool: the
// reference has no MCP server.
func withoutPrefix(choice any) any {
	if object, ok := choice.(map[string]any); ok {
		if id, ok := object["id"].(string); ok {
			return map[string]any{"id": strings.TrimPrefix(id, ourPrefix)}
		}
	}
	return choice
}

func (n *naming) object(o map[string]any) {
	n.identify(o)
	_, page := o["has_more"]
	for _, key := range slices.Sorted(maps.Keys(o)) {
		switch {
		case key == "created_at" && isTime(o[key]):
			o[key] = someTime
		case key == "duration" && isWhole(o[key]):
			o[key] = someDuration
		case key == "thread_id":
			o[key] = n.name("thread", o[key])
		case key == "item_id":
			o[key] = n.name("item", o[key])
		case key == "tool_choice":
			o[key] = withoutPrefix(o[key])
		case page || !slices.Contains(free, key):
			o[key] = n.normal(o[key])
		}
	}
}

// identify names a thread, an item or an attachment, and replaces a page's cursor.
func (n *naming) identify(o map[string]any) {
	_, dated := o["created_at"]
	switch {
	case dated && o["status"] != nil && o["type"] == nil:
		o["id"] = n.name("thread", o["id"])
	case dated:
		o["id"] = n.name(fmt.Sprint(o["type"]), o["id"])
	case o["mime_type"] != nil:
		o["id"] = n.name("attachment", o["id"])
		upload, _ := o["upload_descriptor"].(map[string]any)
		hideURL(upload, "url")
		hideURL(o, "preview_url")
	case o["has_more"] != nil:
		if _, ok := o["after"].(string); ok {
			o["after"] = someCursor
		}
	}
}

// hideURL replaces a URL of the server.
func hideURL(o map[string]any, key string) {
	address, _ := o[key].(string)
	if u, err := url.Parse(address); err == nil && u.IsAbs() {
		o[key] = someURL
	}
}

// isTime accepts times with a zone, as ours has, or without, as the package has.
func isTime(value any) bool {
	text, _ := value.(string)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if _, err := time.Parse(layout, text); err == nil {
			return true
		}
	}
	return false
}

func isWhole(value any) bool {
	number, ok := value.(float64)
	return ok && number >= 0 && number == math.Trunc(number)
}

// plain is a step of a run without the values that differ between any two runs.
type plain struct {
	Step   int              `json:"step"`
	Status int              `json:"status"`
	End    string           `json:"end,omitempty"`
	Events []map[string]any `json:"events,omitempty"`
	Body   any              `json:"body,omitempty"`
}

// plainOf makes a run's records comparable; folded joins events whose number may
// differ.
func plainOf(t *testing.T, records []record, folded bool) []plain {
	t.Helper()
	return plainWith(t, newNaming(), records, folded)
}

func plainWith(t *testing.T, ids *naming, records []record, folded bool) []plain {
	t.Helper()
	steps := make([]plain, len(records))
	for i, r := range records {
		steps[i] = plain{Step: r.Step, Status: r.Status, End: r.End}
		for _, raw := range r.Events {
			var event map[string]any
			if err := json.Unmarshal(raw, &event); err != nil {
				t.Fatalf("%s %s: step %d: %v: %s", r.Target, r.Scenario, r.Step, err, raw)
			}
			ids.object(event)
			steps[i].Events = append(steps[i].Events, event)
		}
		if folded {
			steps[i].Events = fold(steps[i].Events)
		}
		if len(r.Body) == 0 {
			continue
		}
		if err := json.Unmarshal(r.Body, &steps[i].Body); err != nil {
			t.Fatalf("%s %s: step %d: %v: %s", r.Target, r.Scenario, r.Step, err, r.Body)
		}
		steps[i].Body = ids.normal(steps[i].Body)
	}
	return steps
}

// fold joins consecutive events: deltas of one part to one delta, and updates of a
// task to its last state.
func fold(events []map[string]any) []map[string]any {
	var folded []map[string]any
	for _, event := range events {
		if len(folded) > 0 && join(folded[len(folded)-1], event) {
			continue
		}
		folded = append(folded, event)
	}
	return folded
}

// join adds an event to the one before it, if both may be one.
func join(before, event map[string]any) bool {
	last, _ := before["update"].(map[string]any)
	next, _ := event["update"].(map[string]any)
	if last == nil || next == nil || before["item_id"] != event["item_id"] {
		return false
	}
	switch next["type"] {
	case textDelta:
		if last["type"] != textDelta || last["content_index"] != next["content_index"] {
			return false
		}
		text, isText := next["delta"].(string)
		so, wasText := last["delta"].(string)
		if !isText || !wasText {
			return false
		}
		last["delta"] = so + text
		return true
	case "workflow.task.updated":
		if last["task_index"] != next["task_index"] || len(last) != len(next) {
			return false
		}
		last["task"] = next["task"]
		return true
	}
	return false
}

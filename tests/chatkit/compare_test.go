//go:build chatkit

package chatkit_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"testing"
)

// difference is an accepted difference from the reference.
type difference struct {
	// Event is a type of event that only ours may send, or whose Field only
	// ours may have.
	Event string `json:"event"`
	Field string `json:"field"`
	Why   string `json:"why"`
}

// differences reads differences.json.
func differences(t *testing.T) []difference {
	t.Helper()
	content, err := os.ReadFile("differences.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []difference
	if err := json.Unmarshal(content, &all); err != nil {
		t.Fatalf("differences.json: %v", err)
	}
	for n, d := range all {
		if d.Event == "" || d.Why == "" {
			t.Fatalf("differences.json: entry %d says not which event, or not why", n)
		}
	}
	return all
}

// compare returns the differences between ours and the reference in a scenario.
func compare(t *testing.T, s scenario, reference, tested []record, allowed []difference) []string {
	t.Helper()
	if len(reference) != len(tested) {
		return []string{fmt.Sprintf("the reference has %d steps, ours %d", len(reference), len(tested))}
	}
	wanted, got := plainOf(t, reference, true), plainOf(t, tested, true)
	var complaints []string
	for n := range got {
		var found []string
		if expected := s.Steps[n].Ours; expected != nil {
			found = compareOurs(t, *expected, got[n])
		} else {
			found = compareStep(wanted[n], got[n], allowed)
		}
		for _, complaint := range found {
			complaints = append(complaints, fmt.Sprintf("step %d: %s", n, complaint))
		}
	}
	return complaints
}

func compareStep(want, got plain, allowed []difference) []string {
	var complaints []string
	if want.Status != got.Status {
		return []string{fmt.Sprintf("the status is %d, not %d: %s", got.Status, want.Status, text(got.Body))}
	}
	if want.End != got.End {
		complaints = append(complaints, fmt.Sprintf("the stream is %q, not %q", got.End, want.End))
	}
	complaints = append(complaints, compareEvents(want.Events, permit(got.Events, allowed))...)
	return append(complaints, compareValue("answer", want.Body, got.Body)...)
}

// permit removes the accepted additions of ours.
func permit(events []map[string]any, allowed []difference) []map[string]any {
	var rest []map[string]any
	for _, event := range events {
		event = maps.Clone(event)
		dropped := false
		for _, d := range allowed {
			if d.Event != event["type"] {
				continue
			}
			if d.Field == "" {
				dropped = true
			}
			delete(event, d.Field)
		}
		if !dropped {
			rest = append(rest, event)
		}
	}
	return fold(rest)
}

func compareEvents(want, got []map[string]any) []string {
	if wanted, types := typesOf(want), typesOf(got); !slices.Equal(wanted, types) {
		return []string{fmt.Sprintf("the events are\n    %v\n  not\n    %v", types, wanted)}
	}
	var complaints []string
	for n := range want {
		place := fmt.Sprintf("event %d (%s)", n, typesOf(want)[n])
		complaints = append(complaints, compareValue(place, want[n], got[n])...)
	}
	return complaints
}

// typesOf returns the types of events; an update has the type of its part.
func typesOf(events []map[string]any) []string {
	types := make([]string, len(events))
	for n, event := range events {
		types[n] = fmt.Sprint(event["type"])
		if update, ok := event["update"].(map[string]any); ok {
			types[n] = fmt.Sprint(update["type"])
		}
		if item, ok := event["item"].(map[string]any); ok {
			types[n] += fmt.Sprintf(" %v", item["type"])
		}
	}
	return types
}

// anything in an expected value stands for any non-empty text.
const anything = "<any>"

// compareValue returns the paths at which two JSON values differ.
func compareValue(path string, want, got any) []string {
	if some, ok := got.(string); want == anything && ok && some != "" {
		return nil
	}
	wanted, isObject := want.(map[string]any)
	object, both := got.(map[string]any)
	if isObject && both {
		return compareObjects(path, wanted, object)
	}
	list, isList := want.([]any)
	entries, both := got.([]any)
	if isList && both && len(list) == len(entries) {
		var complaints []string
		for n := range list {
			complaints = append(complaints, compareValue(fmt.Sprintf("%s[%d]", path, n), list[n], entries[n])...)
		}
		return complaints
	}
	if !reflect.DeepEqual(want, got) {
		return []string{fmt.Sprintf("%s is %s, not %s", path, text(got), text(want))}
	}
	return nil
}

func compareObjects(path string, want, got map[string]any) []string {
	var complaints []string
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if value, ok := got[key]; ok {
			complaints = append(complaints, compareValue(path+"."+key, want[key], value)...)
		} else {
			complaints = append(complaints, fmt.Sprintf("%s.%s is missing; it is %s", path, key, text(want[key])))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[key]; !ok {
			complaints = append(complaints, fmt.Sprintf("%s.%s is extra: %s", path, key, text(got[key])))
		}
	}
	return complaints
}

// compareOurs compares an answer with the one that the scenario expects of ours.
func compareOurs(t *testing.T, want ours, got plain) []string {
	t.Helper()
	if want.Code == "" {
		expected := plain{Status: 200, Body: decode(t, want.Body)}
		if want.Events != nil {
			expected.End = ended
		}
		for _, raw := range want.Events {
			event, _ := decode(t, raw).(map[string]any)
			expected.Events = append(expected.Events, event)
		}
		expected.Events = fold(expected.Events)
		return compareStep(expected, got, nil)
	}
	body, _ := got.Body.(map[string]any)
	failure, _ := body["error"].(map[string]any)
	message, _ := failure["message"].(string)
	if got.Status != want.Status || body["success"] != false || failure["code"] != want.Code || message == "" {
		return []string{fmt.Sprintf("the answer is %d %s%s, not %d %s with a message",
			got.Status, text(got.Body), typesOf(got.Events), want.Status, want.Code)}
	}
	return nil
}

func decode(t *testing.T, raw []byte) any {
	t.Helper()
	if len(raw) == 0 {
		return nil
	}
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return value
}

func text(value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(data)
}

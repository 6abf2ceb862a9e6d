//go:build chatkit

package chatkit_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// alike checks that the comparator finds no difference between two runs of the
// reference, and that both are of the package's types.
func alike(t *testing.T, all []scenario, first, second map[string][]record) {
	var transcript []record
	for _, s := range all {
		wanted, got := first[s.Name], second[s.Name]
		transcript = append(append(transcript, wanted...), got...)
		for _, complaint := range compare(t, withoutOurs(s), wanted, got, nil) {
			t.Errorf("%s: two runs of the reference differ: %s", s.Name, complaint)
		}
		for n, st := range s.Steps {
			if st.Asked != nil && st.Asked.OnlyOurs {
				continue
			}
			for _, complaint := range checkAsked(st.Asked, got[n]) {
				t.Errorf("%s: step %d: %s", s.Name, n, complaint)
			}
		}
	}
	if said, ok := checkTypes(t, transcript); !ok {
		t.Errorf("the reference does not speak the package's types:\n%s", said)
	}
}

// notices checks that the comparator finds each fault in a run, and that the
// package's types find those that break a type.
func notices(t *testing.T, all []scenario, first, second map[string][]record) {
	var faulty []record
	for _, f := range faults() {
		n := slices.IndexFunc(all, func(s scenario) bool { return s.Name == f.scenario })
		if n < 0 {
			t.Fatalf("no scenario %s", f.scenario)
		}
		broken := f.put(t, second[f.scenario])
		complaints := compare(t, withoutOurs(all[n]), first[f.scenario], broken, nil)
		if f.harmless != (len(complaints) == 0) {
			t.Errorf("%s: the comparator says %q", f.name, complaints)
		}
		for _, r := range broken {
			r.Scenario = "(" + f.name + ")"
			faulty = append(faulty, r)
		}
	}
	said, _ := checkTypes(t, faulty)
	for _, f := range faults() {
		if strings.Contains(said, "("+f.name+")") != f.typed {
			t.Errorf("%s: the package's types see it: %t\n%s", f.name, !f.typed, said)
		}
	}
}

// withoutOurs returns a scenario without the answers that are expected of ours.
func withoutOurs(s scenario) scenario {
	s.Steps = slices.Clone(s.Steps)
	for n := range s.Steps {
		s.Steps[n].Ours = nil
	}
	return s
}

// fault is a change to the answers of a server.
type fault struct {
	name     string
	scenario string
	// old is replaced by new everywhere; or change is applied.
	old, new string
	change   func(*record)
	// typed says that the package's types find it too.
	typed bool
	// harmless says that it must not be found.
	harmless bool
}

func (f fault) put(t *testing.T, records []record) []record {
	t.Helper()
	broken := make([]record, len(records))
	changed := false
	for n, r := range records {
		r.Events = slices.Clone(r.Events)
		if f.change != nil && n == 0 {
			f.change(&r)
			changed = true
		}
		if f.old != "" {
			for e := range r.Events {
				changed = changed || bytes.Contains(r.Events[e], []byte(f.old))
				r.Events[e] = bytes.ReplaceAll(r.Events[e], []byte(f.old), []byte(f.new))
			}
			changed = changed || bytes.Contains(r.Body, []byte(f.old))
			r.Body = bytes.ReplaceAll(r.Body, []byte(f.old), []byte(f.new))
		}
		broken[n] = r
	}
	if !changed {
		t.Fatalf("%s: there is nothing to change", f.name)
	}
	return broken
}

func faults() []fault {
	return []fault{
		{name: "field missing", scenario: "create", old: `"attachments":[],`, typed: true},
		{name: "field extra", scenario: "create", old: `"allow_cancel":true`, new: `"allow_cancel":true,"more":1`, typed: true},
		{name: "field null", scenario: "create", old: `"has_more":false`, new: `"has_more":false,"after":null`, typed: true},
		{name: "field of another type", scenario: "create", old: `"content_index":0`, new: `"content_index":"0"`, typed: true},
		{name: "default left out", scenario: "reasoning", old: `,"expanded":false`, typed: true},
		{name: "metadata left out", scenario: "create", old: `"metadata":{},`, typed: true},
		{name: "unknown event", scenario: "create", old: `"type":"stream_options"`, new: `"type":"options"`, typed: true},
		{name: "unknown item", scenario: "list_items", old: `"type":"user_message"`, new: `"type":"user"`, typed: true},
		{name: "no time", scenario: "create", old: `"created_at":"2`, new: `"created_at":"x2`, typed: true},
		{
			name: "hidden item", scenario: "create", typed: true,
			change: func(r *record) {
				r.Events = append(r.Events, json.RawMessage(`{"type":"thread.item.done","item":{"type":"sdk_hidden_context",`+
					`"id":"x","thread_id":"y","created_at":"2026-11-24T00:00:00Z","content":"z"}}`))
			},
		},
		{name: "another text", scenario: "history", old: "Your name is Ada.", new: "Your name is Eve."},
		{name: "another title", scenario: "create", old: `"title":"Say hello"`, new: `"title":"Hello"`},
		{name: "another status", scenario: "client_tool", old: `"status":"pending"`, new: `"status":"completed"`},
		{name: "another call", scenario: "client_tool", old: `"call_id":"call_1"`, new: `"call_id":"call_2"`},
		{name: "another output", scenario: "client_tool", old: `"output":{"colour":"green"}`, new: `"output":{"colour":"red"}`},
		{name: "page under another name", scenario: "create", old: `"data":[`, new: `"data":[],"data_":[`, typed: true},
		{name: "event missing", scenario: "create", change: func(r *record) { r.Events = r.Events[1:] }},
		{name: "event twice", scenario: "create", change: func(r *record) { r.Events = append(r.Events, r.Events[len(r.Events)-1]) }},
		{name: "events in another order", scenario: "create", change: func(r *record) {
			r.Events[1], r.Events[2] = r.Events[2], r.Events[1]
		}},
		{name: "delta missing", scenario: "create", change: func(r *record) {
			r.Events = slices.DeleteFunc(r.Events, func(e json.RawMessage) bool { return bytes.Contains(e, []byte(`", I am"`)) })
		}},
		{name: "item under another id", scenario: "create", change: func(r *record) {
			last := len(r.Events) - 2
			r.Events[last] = bytes.Replace(r.Events[last], []byte(`"id":"msg_`), []byte(`"id":"other_`), 1)
		}},
		{name: "deltas for another item", scenario: "create", change: func(r *record) {
			for n := range r.Events {
				r.Events[n] = bytes.Replace(r.Events[n], []byte(`"item_id":"msg_`), []byte(`"item_id":"other_`), 1)
			}
		}},
		{name: "cut stream", scenario: "create", change: func(r *record) { r.End = cut }},
		{name: "thought missing", scenario: "reasoning", change: func(r *record) {
			r.Events = slices.DeleteFunc(r.Events, func(e json.RawMessage) bool { return bytes.Contains(e, []byte("workflow.task.")) })
		}},
		{name: "image without its preview", scenario: "attachments", old: `"preview_url"`, new: `"preview"`, typed: true},
		{name: "nowhere to upload to", scenario: "attachments", old: `"method":"PUT"`, new: `"method":"GET"`, typed: true},
		{name: "message without its files", scenario: "attachments", old: `"attachments":[{`, new: `"attachments":[],"files":[{`, typed: true},
		{name: "file of no thread", scenario: "attachments", old: `"thread_id":"thr_`, new: `"thread":"thr_`, typed: true},
		{name: "file of another type", scenario: "attachments", old: `"type":"file"`, new: `"type":"image"`, typed: true},
		{name: "no cursor", scenario: "list_threads", old: `"after":"thr_`, new: `"before":"thr_`, typed: true},
		{name: "other ids", scenario: "client_tool", old: `"msg_`, new: `"other_`, harmless: true},
		{name: "other times", scenario: "create", old: `"created_at":"20`, new: `"created_at":"19`, harmless: true},
		{name: "another duration", scenario: "reasoning", old: `"duration":0`, new: `"duration":7`, harmless: true},
		{name: "delta in two", scenario: "create", harmless: true, change: func(r *record) {
			for n, event := range r.Events {
				if bytes.Contains(event, []byte(`", I am"`)) {
					a := bytes.Replace(event, []byte(`", I am"`), []byte(`", I"`), 1)
					b := bytes.Replace(event, []byte(`", I am"`), []byte(`" am"`), 1)
					r.Events = slices.Replace(r.Events, n, n+1, json.RawMessage(a), json.RawMessage(b))
					return
				}
			}
		}},
	}
}

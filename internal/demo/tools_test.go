package demo_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/demo"
)

// tools are what a task server may offer, and one of an awkward schema.
const tools = `[
	{"type": "function", "function": {"name": "add_task", "description": "Adds a task to the list of things to do", "parameters":
		{"type": "object", "properties": {"title": {"type": "string"}, "priority": {"type": "integer"}, "note": {"type": "string"}}, "required": ["title"]}}},
	{"type": "function", "function": {"name": "list_tasks", "description": "Lists all tasks", "parameters": {"type": "object", "properties": {}}}},
	{"type": "function", "function": {"name": "now"}},
	{"type": "function", "function": {"name": "set_alarm", "description": "Rings later", "parameters":
		{"type": "object", "required": ["minutes", "sound", "loud", "days", "extra", "why", "level"], "properties": {
			"minutes": {"type": "integer"}, "sound": {"enum": ["bell", "horn"]}, "loud": {"type": ["boolean", "null"]},
			"days": {"type": "array"}, "extra": {"type": "object"}, "why": {"type": "string"}, "level": {"type": "number", "default": 0.5}}}}},
	{"type": "function", "function": {"name": "odd", "parameters": {"properties": 7}}}
]`

func withTools(t *testing.T, more string, messages ...any) string {
	t.Helper()
	data, err := json.Marshal(messages)
	if err != nil {
		t.Fatal(err)
	}
	return `{"model": "some/model", "stream": true, "tools": ` + tools + more + `, "messages": ` + string(data) + `}`
}

type called struct{ name, arguments string }

// calls joins the pieces of the calls, as a client would.
func (a answer) calls(t *testing.T) []called {
	t.Helper()
	var calls []called
	ids := map[string]bool{}
	for _, e := range a.events {
		for _, piece := range e.Choices[0].Delta.ToolCalls {
			if piece.Index == len(calls) {
				calls = append(calls, called{name: piece.Function.Name})
				if piece.Type != "function" || !strings.HasPrefix(piece.ID, "call_") || ids[piece.ID] {
					t.Errorf("a call begins with %+v", piece)
				}
				ids[piece.ID] = true
			}
			calls[piece.Index].arguments += piece.Function.Arguments
		}
	}
	return calls
}

func (a answer) reasoning() string {
	var text, details strings.Builder
	for _, e := range a.events {
		text.WriteString(e.Choices[0].Delta.Reasoning)
		for _, detail := range e.Choices[0].Delta.Details {
			details.WriteString(detail.Text)
		}
	}
	if text.String() != details.String() {
		return "the details say " + details.String()
	}
	return text.String()
}

func TestCallsTheToolThatAMessageAsksFor(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	milk := called{"add_task", `{"title":"Buy milk"}`}
	for message, want := range map[string][]called{
		"use add_task Buy milk":                        {milk},
		"Please use the tool add_task: Buy milk":       {milk},
		"Add task: Buy milk":                           {milk},
		"Add a thing to the tasks: Buy milk":           {milk},
		"add task Buy milk":                            {milk},
		`call ADD_TASK {"title":"x","priority":2}`:     {{"add_task", `{"title":"x","priority":2}`}},
		"use add_task {broken":                         {{"add_task", `{"title":"{broken"}`}},
		"use list_tasks":                               {{"list_tasks", "{}"}},
		"Which tasks are on the list?":                 {{"list_tasks", "{}"}},
		"use now":                                      {{"now", "{}"}},
		"use odd thing":                                {{"odd", "{}"}},
		"use add_task Buy milk\nuse add_task Call Bob": {milk, {"add_task", `{"title":"Call Bob"}`}},
		"use now\nand do not forget\nuse list_tasks":   {{"now", "{}"}, {"list_tasks", "{}"}},
		"use set_alarm in 5 minutes with a Horn": {{
			"set_alarm", `{"days":[],"extra":{},"level":0.5,"loud":true,"minutes":5,"sound":"horn","why":"in 5 minutes with a Horn"}`,
		}},
	} {
		got := askWith(t, server, withTools(t, "", user(message)))
		if calls := got.calls(t); !reflect.DeepEqual(calls, want) {
			t.Errorf("%q: calls %q, want %q", message, calls, want)
		}
		if !got.done || got.finish() != "tool_calls" || got.text() != "" {
			t.Errorf("%q: done %t, finish %q, text %q", message, got.done, got.finish(), got.text())
		}
	}
	for _, message := range []string{"hello", "What is 2+2?", "Remember: Buy milk", "task", "I use a pen", "Is it now?", "/long 3", "", ":", "use of it"} {
		got := askWith(t, server, withTools(t, "", user(message)))
		if calls := got.calls(t); calls != nil || got.finish() != "stop" || got.text() == "" {
			t.Errorf("%q: calls %q, finish %q", message, calls, got.finish())
		}
	}
}

func TestToolChoiceIsFollowed(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	named := askWith(t, server, withTools(t, `, "tool_choice": {"type": "function", "function": {"name": "add_task"}}`, user("Buy milk")))
	if calls := named.calls(t); !reflect.DeepEqual(calls, []called{{"add_task", `{"title":"Buy milk"}`}}) {
		t.Errorf("calls %q", calls)
	}
	none := askWith(t, server, withTools(t, `, "tool_choice": "none"`, user("use add_task Buy milk")))
	if calls := none.calls(t); calls != nil || !strings.Contains(none.text(), "No tools") {
		t.Errorf("calls %q, text %q", calls, none.text())
	}
	auto := askWith(t, server, withTools(t, `, "tool_choice": "auto"`, user("use now")))
	if calls := auto.calls(t); len(calls) != 1 {
		t.Errorf("calls %q", calls)
	}
}

func TestAnswersWithWhatTheToolsSaid(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	made := func(id, name string) map[string]any {
		return map[string]any{"id": id, "type": "function", "function": map[string]any{"name": name, "arguments": "{}"}}
	}
	asked := []any{
		user("hello"), assistant("Hello!"), user("use add_task Buy milk\nuse now"),
		map[string]any{"role": "assistant", "tool_calls": []any{made("call_1", "add_task"), made("call_2", "now")}},
		map[string]any{"role": "tool", "tool_call_id": "call_1", "content": "Added.\nIt is number 3."},
		map[string]any{"role": "tool", "tool_call_id": "call_2", "content": "noon"},
	}
	const want = "The tool `add_task` answered:\n\n> Added.\n> It is number 3.\n\nThe tool `now` answered:\n\n> noon"
	got := askWith(t, server, withTools(t, "", asked...))
	if got.text() != want || got.finish() != "stop" || got.calls(t) != nil {
		t.Errorf("answer %q, finish %q", got.text(), got.finish())
	}
	// The next message is a new turn, and a tool loop is one answer.
	later := askWith(t, server, withTools(t, "", append(asked, assistant(want), user("how many messages?"))...))
	if text := later.text(); !strings.Contains(text, "3 messages of yours") || !strings.Contains(text, "2 answers") {
		t.Errorf("answer %q", text)
	}
	again := askWith(t, server, withTools(t, "", append(asked, assistant(want), user("use now"))...))
	if calls := again.calls(t); len(calls) != 1 {
		t.Errorf("calls %q", calls)
	}
}

func TestTellsItsTools(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	for _, message := range []string{"What tools do you have?", "use no_such_tool please"} {
		text := askWith(t, server, withTools(t, "", user(message))).text()
		if !strings.Contains(text, "`add_task`, `list_tasks`, `now`") {
			t.Errorf("%q: answer %q", message, text)
		}
		if without := reply(t, server, user(message)); !strings.Contains(without, "No tools are offered") {
			t.Errorf("%q without tools: answer %q", message, without)
		}
	}
}

func TestThinksFirst(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	begun := []said{user("hello"), assistant("Hello!")}
	for message, want := range map[string]string{
		"think: what is 2 + 2?":      "`2 + 2` = 4",
		"Think about 2 + 2":          "`2 + 2` = 4",
		"think, then what is 2 + 2?": "`2 + 2` = 4",
		"think":                      `Give me something to think about: "think: what is 2 + 2?"`,
	} {
		got := ask(t, server, append(begun, user(message))...)
		if got.text() != want || !strings.Contains(got.reasoning(), "think first") {
			t.Errorf("%q: answer %q after %q", message, got.text(), got.reasoning())
		}
		text := false
		for _, e := range got.events {
			text = text || e.Choices[0].Delta.Content != ""
			if text && e.Choices[0].Delta.Reasoning != "" {
				t.Errorf("%q: reasoning came after text", message)
			}
		}
	}
	for _, message := range []string{"I think so", "thinking of you", "rethink"} {
		if thought := ask(t, server, user(message)).reasoning(); thought != "" {
			t.Errorf("%q: it thought %q", message, thought)
		}
	}
	got := askWith(t, server, withTools(t, "", user("think, then add task: Buy milk")))
	if calls := got.calls(t); len(calls) != 1 || !strings.Contains(got.reasoning(), "tool") {
		t.Errorf("calls %q after %q", calls, got.reasoning())
	}
}

func TestNoticesImages(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	image := func(url string) map[string]any {
		return map[string]any{"type": "image_url", "image_url": map[string]any{"url": url}}
	}
	text := map[string]any{"type": "text", "text": "2 + 2"}
	png := image("data:image/png;base64,iVBORw0KGgo=")
	for name, test := range map[string]struct {
		parts []any
		want  string
	}{
		"one":       {[]any{png}, "I was sent 1 image (image/png, 8 bytes). Without a model the demo cannot see what is in it."},
		"with text": {[]any{text, png}, "I was sent 1 image (image/png, 8 bytes). Without a model the demo cannot see what is in it.\n\n`2 + 2` = 4"},
		"others": {
			[]any{image("https://example.com/a.png"), image("data:image/gif;base64,!")},
			"I was sent 2 images (by its address; image/gif, broken). Without a model the demo cannot see what is in it.",
		},
	} {
		if got := reply(t, server, said{"user", test.parts}); got != test.want {
			t.Errorf("%s: answer %q, want %q", name, got, test.want)
		}
	}
	if got := reply(t, server, said{"user", []any{png}}, assistant("…"), user("2 + 2")); got != "`2 + 2` = 4" {
		t.Errorf("an earlier image: answer %q", got)
	}
}

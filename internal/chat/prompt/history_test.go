package prompt

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

func said(kind chat.ItemType, text string) chat.Item {
	part := chat.ContentInputText
	if kind == chat.ItemAssistantMessage {
		part = chat.ContentOutputText
	}
	return chat.Item{Type: kind, Content: []chat.Content{{Type: part, Text: text}}}
}

func outline(messages History) []string {
	var lines []string
	for _, m := range messages {
		line := string(m.Role)
		var calls strings.Builder
		for _, call := range m.ToolCalls {
			calls.WriteString(" calls " + call.ID)
		}
		line += calls.String()
		if m.ToolCallID != "" {
			line += " of " + m.ToolCallID
		}
		if m.Content != "" {
			line += ": " + m.Content
		}
		lines = append(lines, line)
	}
	return lines
}

// A call goes upstream only with the question it belongs to, however long.
func TestBoundHistoryKeepsTheQuestionOfACall(t *testing.T) {
	t.Parallel()
	call := chat.Item{Type: chat.ItemClientToolCall, ClientCall: &chat.ClientToolCall{
		CallID: "a", Name: "ask", Arguments: []byte("{}"), Output: []byte(`"yes"`),
	}}
	pending := chat.Item{Type: chat.ItemClientToolCall, ClientCall: &chat.ClientToolCall{CallID: "b", Name: "ask", Arguments: []byte("{}")}}
	note := said(chat.ItemHiddenContext, "note")
	thread := []chat.Item{said(chat.ItemUserMessage, "one"), pending, note, said(chat.ItemUserMessage, "two"), {Type: chat.ItemWorkflow}, call}
	got := outline(NewHistory(thread, 1, 1))
	want := []string{"user: two", "assistant calls a", `tool of a: "yes"`}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	got = outline(NewHistory(thread, 10, 1000))
	want = []string{
		"user: one", "assistant calls b", "tool of b: " + noOutput, "user: " + hidden("note") + "\n\ntwo",
		"assistant calls a", `tool of a: "yes"`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A call of the page's tool is sent in the message that it came with, whose
// details it may have.
func TestBoundHistoryJoinsAStep(t *testing.T) {
	t.Parallel()
	text := said(chat.ItemAssistantMessage, "Let me ask.")
	result := "5"
	ours := chat.Item{Type: chat.ItemToolCalls, ToolCalls: []chat.ToolCall{{ID: "o", Name: "add", Result: &result}}, ReasoningDetails: []byte("[1]")}
	theirs := func(id string, beside bool, output string) chat.Item {
		return chat.Item{Type: chat.ItemClientToolCall, ReasoningDetails: []byte("[2]"), ClientCall: &chat.ClientToolCall{
			CallID: id, Name: "ask", Arguments: []byte("{}"), Output: json.RawMessage(output), Beside: beside,
		}}
	}
	turn := []chat.Item{
		said(chat.ItemUserMessage, "one"), text, theirs("a", true, "1"), ours, {Type: chat.ItemWorkflow}, theirs("b", true, "2"), theirs("c", false, "3"),
	}
	history := NewHistory(turn, 20, 1000)
	want := []string{
		"user: one", "assistant calls a: Let me ask.", "tool of a: 1",
		"assistant calls o calls b", "tool of o: 5", "tool of b: 2", "assistant calls c", "tool of c: 3",
	}
	if got := outline(history); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for at, want := range map[int]string{1: "[2]", 3: "[1]", 6: "[2]"} {
		if got := string(history[at].ReasoningDetails); got != want {
			t.Errorf("message %d has the details %q, want %q", at, got, want)
		}
	}
	if len(ours.ToolCalls) != 1 {
		t.Error("the item was changed")
	}
	history = NewHistory(append(turn, said(chat.ItemUserMessage, "two")), 20, 1000)
	if got := outline(history); !slices.Equal(got, append(want, "user: two")) {
		t.Errorf("got %q", got)
	}
	if slices.ContainsFunc(history, func(m message) bool { return m.ReasoningDetails != nil }) {
		t.Error("the details of an earlier turn are sent")
	}
}

// What a user message refers to follows it.
func TestMessagesOfAUserMessage(t *testing.T) {
	t.Parallel()
	quote := "the quote"
	item := said(chat.ItemUserMessage, "About ")
	item.QuotedText = &quote
	tag := &chat.Tag{ID: "7", Data: []byte(`{"price":3}`)}
	item.Content = append(item.Content, chat.Content{Type: chat.ContentInputTag, Text: "tea", Tag: tag},
		chat.Content{Type: chat.ContentInputText, Text: " and "}, chat.Content{Type: chat.ContentInputTag, Text: "tea", Tag: tag})
	got := outline(appendMessages(nil, &item, true))
	want := []string{
		"user: About @tea and @tea", "user: The user is referring to this in particular: \nthe quote",
		"user: What the user mentions with @ is, as the page describes it:\n- tea (id 7): {\"price\":3}",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := outline(appendMessages(nil, &item, false)); len(got) != 2 {
		t.Errorf("an older message is sent as %q", got)
	}
}

func TestBoundHistory(t *testing.T) {
	t.Parallel()
	result := "done"
	withTools := chat.Item{
		Type:    chat.ItemAssistantMessage,
		Content: []chat.Content{{Type: chat.ContentOutputText, Text: "It is done."}},
		ToolCalls: []chat.ToolCall{
			{ID: "a", Name: "add", Arguments: "{}", Result: &result}, {ID: "b", Name: "add", Arguments: "{}"},
		},
	}
	thread := []chat.Item{
		said(chat.ItemUserMessage, "one"), said(chat.ItemAssistantMessage, "ONE"),
		said(chat.ItemUserMessage, "two"), withTools,
		said(chat.ItemUserMessage, "three"),
	}
	whole := []string{
		"user: one", "assistant: ONE", "user: two",
		"assistant calls a calls b: It is done.", "tool of a: done", "tool of b: " + unanswered, "user: three",
	}
	for _, test := range []struct {
		name            string
		messages, chars int
		want            []string
	}{
		{"all fits", 7, 1000, whole},
		{"the newest are kept", 5, 1000, whole[2:]},
		{"a tool exchange is not split, nor begins the history", 4, 1000, whole[6:]},
		{"an exchange without its question is left out", 6, 1000, whole[2:]},
		{"characters are bound", 100, 5 + 11 + 4 + len(unanswered) + 10 + 3, whole[2:]},
		{"one character less", 100, 5 + 11 + 4 + len(unanswered) + 10 + 2, whole[6:]},
		{"the newest is always sent", 0, 0, whole[6:]},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := outline(NewHistory(thread, test.messages, test.chars))
			if !slices.Equal(got, test.want) {
				t.Errorf("got\n %s\nwant\n %s", strings.Join(got, "\n "), strings.Join(test.want, "\n "))
			}
		})
	}
}

// A message counts by its code points: "é" is one.
func TestBoundHistoryCountsCodePoints(t *testing.T) {
	t.Parallel()
	thread := []chat.Item{said(chat.ItemUserMessage, "éé"), said(chat.ItemUserMessage, "🙂🙂")}
	if got := outline(NewHistory(thread, 10, 4)); !slices.Equal(got, []string{"user: éé\n\n🙂🙂"}) {
		t.Errorf("got %q of 4 characters in all", got)
	}
	if got := outline(NewHistory(thread, 10, 3)); !slices.Equal(got, []string{"user: 🙂🙂"}) {
		t.Errorf("got %q of 3 characters", got)
	}
}

// User and assistant alternate in what a model is sent, whatever failed or was
// stopped between them, and no message is blank.
func TestBoundHistoryAlternates(t *testing.T) {
	t.Parallel()
	quote, result := "a part", "5"
	quoting := said(chat.ItemUserMessage, "three")
	quoting.QuotedText = &quote
	calls := said(chat.ItemAssistantMessage, "I look.")
	calls.ToolCalls = []chat.ToolCall{{ID: "o", Name: "add", Result: &result}}
	blankCalls := said(chat.ItemAssistantMessage, " \n")
	blankCalls.ToolCalls = []chat.ToolCall{{ID: "p", Name: "add", Result: &result}}
	withFile := said(chat.ItemUserMessage, "two")
	withFile.Attachments = []chat.Attachment{{Name: "a.txt"}}
	got := NewHistory([]chat.Item{
		said(chat.ItemUserMessage, "one"), withFile, said(chat.ItemAssistantMessage, "half"), said(chat.ItemAssistantMessage, "more"), calls,
		said(chat.ItemAssistantMessage, "\n\t "), blankCalls, said(chat.ItemAssistantMessage, "done"), said(chat.ItemHiddenContext, "note"), quoting,
	}, 40, 32000)
	want := []string{
		"user: one\n\ntwo", "assistant calls o: half\n\nmore\n\nI look.", "tool of o: 5", "assistant calls p", "tool of p: 5",
		"assistant: done", "user: " + hidden("note") + "\n\nthree\n\nThe user is referring to this in particular: \na part",
	}
	if lines := outline(got); !slices.Equal(lines, want) {
		t.Errorf("got\n %s\nwant\n %s", strings.Join(lines, "\n "), strings.Join(want, "\n "))
	}
	if len(got[0].attachments) != 1 {
		t.Errorf("the file of the second message is lost: %+v", got[0])
	}
}

func TestBoundHistoryOfManyItems(t *testing.T) {
	t.Parallel()
	var thread []chat.Item
	for n := range 1000 {
		thread = append(thread, said(chat.ItemUserMessage, strconv.Itoa(n)), said(chat.ItemAssistantMessage, "a"))
	}
	thread = append(thread, said(chat.ItemUserMessage, "last"))
	got := NewHistory(thread, 40, 32000)
	if len(got) != 39 || got[0].Role != chat.RoleUser || got[38].Content != "last" {
		t.Errorf("got %d messages, the first %+v, the last %+v", len(got), got[0], got[len(got)-1])
	}
}

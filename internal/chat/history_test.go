package chat

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

func said(kind ItemType, text string) Item {
	part := ContentInputText
	if kind == ItemAssistantMessage {
		part = ContentOutputText
	}
	return Item{Type: kind, Content: []Content{{Type: part, Text: text}}}
}

func outline(messages []Message) []string {
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

func TestBoundHistory(t *testing.T) {
	t.Parallel()
	result := "done"
	withTools := Item{
		Type:    ItemAssistantMessage,
		Content: []Content{{Type: ContentOutputText, Text: "It is done."}},
		ToolCalls: []ToolCall{
			{ID: "a", Name: "add", Arguments: "{}", Result: &result}, {ID: "b", Name: "add", Arguments: "{}"},
		},
	}
	thread := []Item{
		said(ItemUserMessage, "one"), said(ItemAssistantMessage, "ONE"),
		said(ItemUserMessage, "two"), withTools,
		said(ItemUserMessage, "three"),
	}
	whole := []string{
		"user: one", "assistant: ONE", "user: two",
		"assistant calls a calls b", "tool of a: done", "tool of b", "assistant: It is done.", "user: three",
	}
	for _, test := range []struct {
		name            string
		messages, chars int
		want            []string
	}{
		{"all fits", 8, 1000, whole},
		{"the newest are kept", 6, 1000, whole[2:]},
		{"a tool exchange is not split, nor begins the history", 5, 1000, whole[7:]},
		{"an exchange without its question is left out", 7, 1000, whole[2:]},
		{"characters are bound", 100, 5 + 11 + 4 + 10 + 3, whole[2:]},
		{"one character less", 100, 5 + 11 + 4 + 10 + 2, whole[7:]},
		{"the newest is always sent", 0, 0, whole[7:]},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := outline(boundHistory(thread, test.messages, test.chars))
			if !slices.Equal(got, test.want) {
				t.Errorf("got\n %s\nwant\n %s", strings.Join(got, "\n "), strings.Join(test.want, "\n "))
			}
		})
	}
}

// A message counts by its code points: "é" is one.
func TestBoundHistoryCountsCodePoints(t *testing.T) {
	t.Parallel()
	thread := []Item{said(ItemUserMessage, "éé"), said(ItemUserMessage, "🙂🙂")}
	if got := boundHistory(thread, 10, 4); len(got) != 2 {
		t.Errorf("got %d messages of 4 characters in all, want 2", len(got))
	}
}

func TestBoundHistoryOfManyItems(t *testing.T) {
	t.Parallel()
	var thread []Item
	for n := range 1000 {
		thread = append(thread, said(ItemUserMessage, strconv.Itoa(n)), said(ItemAssistantMessage, "a"))
	}
	thread = append(thread, said(ItemUserMessage, "last"))
	got := boundHistory(thread, 40, 32000)
	if len(got) != 39 || got[0].Role != RoleUser || got[38].Content != "last" {
		t.Errorf("got %d messages, the first %+v, the last %+v", len(got), got[0], got[len(got)-1])
	}
}

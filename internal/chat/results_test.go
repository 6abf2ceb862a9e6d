package chat

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func withResults(results ...string) []ToolCall {
	calls := []ToolCall{{ID: "none"}}
	for n := range results {
		calls = append(calls, ToolCall{Result: &results[n]})
	}
	return calls
}

func sizesOf(calls []ToolCall) []int {
	var sizes []int
	for _, call := range calls {
		if call.Result != nil {
			sizes = append(sizes, utf8.RuneCountInString(*call.Result))
		}
	}
	return sizes
}

// Results that fit stay, and so does a short one beside a long one; what is cut
// says so, and all together keep to the limit.
func TestShareRoom(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 5000)
	calls := withResults(long, "short", long)
	truncateResults(calls, 10_005)
	if got := sizesOf(calls); !slices.Equal(got, []int{5000, 5, 5000}) {
		t.Errorf("results that fit have %v characters", got)
	}
	truncateResults(calls, 1005)
	got := sizesOf(calls)
	if got[1] != 5 || got[0] != got[2] || got[0] < 450 || got[0] > 500 {
		t.Errorf("the results have %v characters", got)
	}
	want := strings.Repeat("é", 420) + "\n[The result was cut here; 4580 more characters were left out.]"
	if *calls[1].Result != want {
		t.Errorf("it was cut to %q", *calls[1].Result)
	}
}

// The newest results are sent, as many as there is room for; of an older one
// a note stands for it, unless the note is no shorter.
func TestBoundResults(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 500)
	result := func(id, content string) Message { return Message{Role: RoleTool, ToolCallID: id, Content: content} }
	history := []Message{
		{Role: RoleUser, Content: long + long + long},
		{Role: RoleAssistant, ToolCalls: []ToolCall{{ID: "a"}, {ID: "b"}}},
		result("a", long), result("b", "5"),
		{Role: RoleAssistant, ToolCalls: []ToolCall{{ID: "c"}, {ID: "d"}}},
		result("c", long), result("d", long),
	}
	if got := boundResults(history, 1501); !slices.Equal(outline(got), outline(history)) {
		t.Errorf("results that fit are sent as %q", outline(got))
	}
	got := boundResults(history, 1000)
	want := outline(history)
	want[2] = "tool of a: " + leftOut
	if !slices.Equal(outline(got), want) {
		t.Errorf("got %q, want %q", outline(got), want)
	}
	if history[2].Content != long {
		t.Error("the history was changed")
	}
}

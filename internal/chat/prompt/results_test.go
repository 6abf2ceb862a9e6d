package prompt

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

func withResults(results ...string) []chat.ToolCall {
	calls := []chat.ToolCall{{ID: "none"}}
	for n := range results {
		calls = append(calls, chat.ToolCall{Result: &results[n]})
	}
	return calls
}

func sizesOf(calls []chat.ToolCall) []int {
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
	TruncateResults(calls, 10_005)
	if got := sizesOf(calls); !slices.Equal(got, []int{5000, 5, 5000}) {
		t.Errorf("results that fit have %v characters", got)
	}
	TruncateResults(calls, 1005)
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
	calls := func(ids ...string) message {
		m := newMessage(chat.RoleAssistant, "")
		for _, id := range ids {
			m.ToolCalls = append(m.ToolCalls, chat.ToolCall{ID: id})
		}
		return m
	}
	history := History{
		newMessage(chat.RoleUser, long+long+long),
		calls("a", "b"), newResult("a", long), newResult("b", "5"),
		calls("c", "d"), newResult("c", long), newResult("d", long),
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

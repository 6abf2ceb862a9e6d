package chat

import (
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

const (
	// leftOut stands for a result that a request has no room for. It says that
	// the call was made, so that the model does not change the world twice.
	leftOut = "[The tool was called and gave its result, which is left out here: later results took its place.]"
	// cutNote ends a result that was cut, and maxCutNote is how long that may be.
	cutNote    = "\n[The result was cut here; %d more characters were left out.]"
	maxCutNote = 80
)

// resultChars is how much tools may tell the model, in code points: in one step,
// and in all that a request brings. The longest output of the page's fits whole.
func (s *Service) resultChars() int { return max(s.Limits.HistoryChars, maxOutputBytes) }

// shareRoom cuts the longest results of a step so that all together have no
// more than limit characters: none is cut for the sake of a longer one.
func shareRoom(calls []ToolCall, limit int) {
	var sizes []int
	for _, call := range calls {
		if call.Result != nil {
			sizes = append(sizes, utf8.RuneCountInString(*call.Result))
		}
	}
	most := fairShare(sizes, limit)
	for n := range calls {
		if result := calls[n].Result; result != nil {
			cut := cutResult(*result, most)
			calls[n].Result = &cut
		}
	}
}

// fairShare is the most that each may have for all to fit into limit; where all
// fit anyway, there is no such bound.
func fairShare(sizes []int, limit int) int {
	slices.Sort(sizes)
	for n, size := range sizes {
		share := limit / (len(sizes) - n)
		if size > share {
			return share
		}
		limit -= size
	}
	return math.MaxInt
}

// cutResult is the result in no more than limit characters, a note among them.
func cutResult(result string, limit int) string {
	size := utf8.RuneCountInString(result)
	if size <= limit {
		return result
	}
	kept := max(limit-maxCutNote, 0)
	return firstChars(result, kept) + fmt.Sprintf(cutNote, size-kept)
}

// boundResults leaves out the oldest results of tools beyond limit characters.
// The history itself is not changed.
func boundResults(history []Message, limit int) []Message {
	bound, cloned := history, false
	for n, message := range slices.Backward(history) {
		if message.Role != RoleTool {
			continue
		}
		size := utf8.RuneCountInString(message.Content)
		if size <= limit {
			limit -= size
			continue
		}
		if size <= len(leftOut) {
			continue
		}
		if !cloned {
			bound, cloned = slices.Clone(history), true
		}
		bound[n].Content = leftOut
	}
	return bound
}

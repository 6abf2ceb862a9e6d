package prompt

import (
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

const (
	// leftOut replaces a result that does not fit into a request. It says that
	// the call was made, so that the model does not repeat it.
	leftOut = "[The tool was called and gave its result, which is left out here: later results took its place.]"
	// cutNote ends a result that was cut; it has at most maxCutNote characters.
	cutNote    = "\n[The result was cut here; %d more characters were left out.]"
	maxCutNote = 80
)

// TruncateResults cuts the longest results of a step so that all together have at
// most limit characters. No result is cut to make room for a longer one.
func TruncateResults(calls []chat.ToolCall, limit int) {
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

// fairShare is the largest size that each may have for all to fit into limit. It
// is unbounded where all fit anyway.
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

// cutResult is the result in at most limit characters, with a note that it was
// cut.
func cutResult(result string, limit int) string {
	size := utf8.RuneCountInString(result)
	if size <= limit {
		return result
	}
	kept := max(limit-maxCutNote, 0)
	return FirstChars(result, kept) + fmt.Sprintf(cutNote, size-kept)
}

// boundResults leaves out the oldest results of tools beyond limit characters.
// It does not change the history it is given.
func boundResults(history History, limit int) History {
	bound, cloned := history, false
	for n := range slices.Backward(history) {
		if history[n].Role != chat.RoleTool {
			continue
		}
		size := utf8.RuneCountInString(history[n].Content)
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

// FirstChars returns the first limit code points of a text.
func FirstChars(text string, limit int) string {
	for n := range text {
		if limit <= 0 {
			return text[:n]
		}
		limit--
	}
	return text
}

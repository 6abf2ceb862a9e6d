package runs

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// Pieces are joined as they came; what is no array, or empty, is none.
func TestJoinArrays(t *testing.T) {
	t.Parallel()
	for want, arrays := range map[string][]string{
		"":                     {"", "null", "[]", "{}"},
		`[ {"a": 1} ]`:         {`[ {"a": 1} ]`},
		`[{"a":1},{"b":2}, 3]`: {`[{"a":1}]`, "[]", `[{"b":2}, 3]`, "7"},
	} {
		var raw []json.RawMessage
		for _, array := range arrays {
			raw = append(raw, json.RawMessage(array))
		}
		if got := string(joinArrays(raw)); got != want {
			t.Errorf("%q are joined to %q, want %q", arrays, got, want)
		}
	}
}

// sentIn is a step of a model that sends its details and the arguments of a
// call in many toolCallAssembler.
func sentIn(count int) []chat.Chunk {
	chunks := make([]chat.Chunk, count)
	for n := range chunks {
		chunks[n] = chat.Chunk{
			ReasoningDetails: json.RawMessage(fmt.Sprintf(`[{"type":"reasoning.text","text":" word","index":%d}]`, n)),
			Calls:            []chat.ToolCallDelta{{ID: "call", Name: "look", Arguments: strings.Repeat("x", 20)}},
		}
	}
	return chunks
}

// bytesToJoin is what it takes to join the pieces of a call, in bytes allocated.
func bytesToJoin(t *testing.T, count int) int64 {
	t.Helper()
	chunks := sentIn(count)
	return testing.Benchmark(func(b *testing.B) {
		b.Helper()
		b.ReportAllocs()
		for range b.N {
			var came toolCallAssembler
			for n := range chunks {
				if err := came.add(&chunks[n]); err != nil {
					b.Fatal(err)
				}
			}
			if calls := came.complete(); len(calls[0].Arguments) != 20*count || len(joinArrays(came.details)) < 40*count {
				b.Fatal("something is missing")
			}
		}
	}).AllocedBytesPerOp()
}

// Eight times as many pieces take about eight times as much, not sixty-four.
//
//nolint:paralleltest // others would be measured with it
func TestPiecesAreJoinedInLinearSpace(t *testing.T) {
	few, many := bytesToJoin(t, 1000), bytesToJoin(t, 8000)
	if few == 0 || many > 16*few {
		t.Errorf("1000 pieces took %d bytes, 8000 took %d", few, many)
	}
}

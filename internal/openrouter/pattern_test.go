package openrouter

import "testing"

// A text of a stream that is alike costs one allocation, the text itself.
//
//nolint:paralleltest // it counts what the process allocates
func TestTextOfAPatternIsOneAllocation(t *testing.T) {
	var p pattern
	chunk := []byte(`{"choices":[{"index":0,"delta":{"content":"a text that is longer than a word"}}]}`)
	p.learn(chunk, "a text that is longer than a word")
	if _, ok := p.text(chunk); !ok {
		t.Fatal("the pattern was not learned")
	}
	if count := testing.AllocsPerRun(100, func() { p.text(chunk) }); count > 1 {
		t.Errorf("%v allocations", count)
	}
}

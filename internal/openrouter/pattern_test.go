package openrouter

import "testing"

// TestTextOfAPatternIsOneAllocation checks that the fast path allocates only the text.
//
//nolint:paralleltest // it measures the allocations of the process
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

package loadclient

import (
	"strings"
	"testing"
	"time"
)

func TestCountEventsOfSplitStream(t *testing.T) {
	t.Parallel()
	const stream = "data: one\n\ndata: two\n\n: comment\n\ndata: [DONE]\n\n"
	for first := range len(stream) {
		for second := first; second < len(stream); second++ {
			var c eventCounter
			c.add([]byte(stream[:first]))
			c.add([]byte(stream[first:second]))
			c.add([]byte(stream[second:]))
			if c.events != 4 {
				t.Fatalf("cut at %d and %d: %d events, not 4", first, second, c.events)
			}
		}
	}
}

func TestReadLinesSkipsLongLines(t *testing.T) {
	t.Parallel()
	stream := "data: a\n\ndata: " + strings.Repeat("x", 3*BufferSize) + "\n\ndata: b\n\n"
	var lines []string
	err := ReadLines(strings.NewReader(stream), func(line []byte, _ time.Time) { lines = append(lines, string(line)) })
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(lines, ""); got != "data: a\ndata: b\n" {
		t.Errorf("read %q", got)
	}
}

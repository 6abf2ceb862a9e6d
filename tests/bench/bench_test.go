package main

import (
	"strings"
	"testing"
	"time"
)

func TestEventsAreCountedWhereverAStreamIsCut(t *testing.T) {
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

func TestStampsAreReadBack(t *testing.T) {
	t.Parallel()
	received, wrote := time.Unix(0, 1763900000000000001), time.Unix(0, 1763900000123456789)
	line := appendStamp(appendStamp([]byte(`{"delta":"`), receivedMark, received), wroteMark, wrote)
	line = append(line, `"}`...)
	if got, ok := findStamp(line, receivedMark); !ok || !got.Equal(received) {
		t.Errorf("received: %v, %v", got, ok)
	}
	if got, ok := findStamp(line, wroteMark); !ok || !got.Equal(wrote) {
		t.Errorf("wrote: %v, %v", got, ok)
	}
	if _, ok := findStamp([]byte("someone@example.com, not a time"), wroteMark); ok {
		t.Error("a stamp was found where there is none")
	}
}

func TestLongLinesOfAStreamArePassedOver(t *testing.T) {
	t.Parallel()
	stream := "data: a\n\ndata: " + strings.Repeat("x", 3*clientBuffer) + "\n\ndata: b\n\n"
	var seen []string
	err := readStamps(strings.NewReader(stream), func(line []byte, _ time.Time) { seen = append(seen, string(line)) })
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(seen, ""); got != "data: a\ndata: b\n" {
		t.Errorf("read %q", got)
	}
}

func TestQuantiles(t *testing.T) {
	t.Parallel()
	hundred := make([]int, 100)
	for n := range hundred {
		hundred[n] = n + 1
	}
	for share, want := range map[float64]int{0: 1, 0.5: 50, 0.99: 99, 1: 100} {
		if got := quantile(hundred, share); got != want {
			t.Errorf("quantile %v of 1 to 100 is %d, not %d", share, got, want)
		}
	}
	if got := quantile([]int(nil), 0.5); got != 0 {
		t.Errorf("the quantile of nothing is %d", got)
	}
	if got := median([]int{9, 1, 5}); got != 5 {
		t.Errorf("the median of 9, 1 and 5 is %d", got)
	}
}

func TestThousands(t *testing.T) {
	t.Parallel()
	for n, want := range map[float64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -100: "-100"} {
		if got := thousands(n); got != want {
			t.Errorf("%v is %q, not %q", n, got, want)
		}
	}
}

package harness

import (
	"bytes"
	"strings"
	"sync"
	"testing"
)

// maxLogPrinted is the number of bytes at the end of a log that a failed test
// prints.
const maxLogPrinted = 8 << 10

// output collects the output of a process.
type output struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.Write(p) // never fails
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.String()
}

// checkLog fails the test if the log has something that the program must never
// print.
func checkLog(tb testing.TB, log string) {
	tb.Helper()
	for _, word := range []string{"DATA RACE", "panic"} {
		if at := strings.Index(log, word); at >= 0 {
			tb.Errorf("the server's log has %q:\n%s", word, around(log, at))
		}
	}
}

// around returns the text near a position.
func around(text string, at int) string {
	const before, after = 200, 4000
	return text[max(at-before, 0):min(at+after, len(text))]
}

func tail(text string) string {
	if len(text) <= maxLogPrinted {
		return text
	}
	return "…" + text[len(text)-maxLogPrinted:]
}

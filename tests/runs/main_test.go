// Package runs_test tests that clients follow, list and cancel runs of the built
// server on other connections than the one that started them.
package runs_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/gen/client"
	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

// soon is how long something that happens at once may take on a busy machine.
const soon = 10 * time.Second

// raws returns the events as they were received.
func raws(events []harness.Event) []string {
	texts := make([]string, len(events))
	for n, event := range events {
		texts[n] = event.Raw
	}
	return texts
}

// wantSame fails the test unless the events are those wanted.
func wantSame(t *testing.T, what string, got, want []harness.Event) {
	t.Helper()
	if !slices.Equal(raws(got), raws(want)) {
		t.Errorf("%s: got %s\nwant %s", what, lines(got), lines(want))
	}
}

// lines are the events as they were received, one a line.
func lines(events []harness.Event) string {
	return "\n" + strings.Join(raws(events), "\n")
}

// wantFailure fails the test unless the stream has one error event, with the
// message, and ends in order.
func wantFailure(t *testing.T, events []harness.Event, message string) {
	t.Helper()
	var messages []string
	for _, event := range events {
		if failed, ok := event.Value.(client.ErrorEvent); ok {
			messages = append(messages, failed.Message)
		}
	}
	if !slices.Equal(messages, []string{message}) || events[len(events)-1].Type != "[DONE]" {
		t.Errorf("the stream has the failures %q, want %q:%s", messages, message, lines(events))
	}
}

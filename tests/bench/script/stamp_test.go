package script_test

import (
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/bench/script"
)

func TestFindStamp(t *testing.T) {
	t.Parallel()
	received, wrote := time.Unix(0, 1763900000000000001), time.Unix(0, 1763900000123456789)
	line := script.AppendStamp(script.AppendStamp([]byte(`{"delta":"`), script.ReceivedMark, received), script.WroteMark, wrote)
	line = append(line, `"}`...)
	if got, ok := script.FindStamp(line, script.ReceivedMark); !ok || !got.Equal(received) {
		t.Errorf("received: %v, %v", got, ok)
	}
	if got, ok := script.FindStamp(line, script.WroteMark); !ok || !got.Equal(wrote) {
		t.Errorf("wrote: %v, %v", got, ok)
	}
	if _, ok := script.FindStamp([]byte("someone@example.com, not a time"), script.WroteMark); ok {
		t.Error("a stamp was found in a line without one")
	}
}

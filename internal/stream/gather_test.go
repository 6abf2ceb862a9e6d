package stream

import (
	"bytes"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// sentWrite is one write to a client.
type sentWrite struct {
	at     time.Duration
	deltas int
	end    bool
}

// writeRecorder records the writes to a client.
type writeRecorder struct {
	*httptest.ResponseRecorder
	start  time.Time
	writes []sentWrite
}

func (r *writeRecorder) Write(data []byte) (int, error) {
	r.writes = append(r.writes, sentWrite{
		at:     time.Since(r.start),
		deltas: bytes.Count(data, []byte("content_part.text_delta")),
		end:    bytes.Contains(data, []byte("[DONE]")),
	})
	return len(data), nil
}

// serveDeltas serves an answer with deltas at intervals, and returns the writes to the
// client.
func serveDeltas(t *testing.T, deltas int, interval time.Duration) (writes []sentWrite) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		client := &writeRecorder{ResponseRecorder: httptest.NewRecorder(), start: time.Now()}
		serveTo(t, slices.Repeat(pacedModel{interval}, deltas), client)
		writes = client.writes
	})
	return writes
}

// checkDelays checks that no delta was delayed for longer than gatherTime, and that the
// end of the stream was not delayed.
func checkDelays(t *testing.T, writes []sentWrite, deltas int, interval time.Duration) {
	t.Helper()
	sent := 0
	for _, write := range writes {
		if write.deltas > 0 {
			oldest := time.Duration(sent+1) * interval
			if delay := write.at - oldest; delay > gatherTime {
				t.Errorf("delta %d was delayed for %s", sent+1, delay)
			}
		}
		sent += write.deltas
	}
	if last := writes[len(writes)-1]; sent != deltas || !last.end || last.at != time.Duration(deltas)*interval {
		t.Errorf("%d deltas of %d were sent, the last write is %+v", sent, deltas, last)
	}
}

func TestFastDeltasShareWrites(t *testing.T) {
	t.Parallel()
	const deltas, interval = 1000, time.Millisecond
	writes := serveDeltas(t, deltas, interval)
	checkDelays(t, writes, deltas, interval)
	if most := deltas/5 + 10; len(writes) > most {
		t.Errorf("%d deltas took %d writes, more than %d", deltas, len(writes), most)
	}
	first := slices.IndexFunc(writes, func(w sentWrite) bool { return w.deltas > 0 })
	if at := writes[first].at; at != interval {
		t.Errorf("the first delta was sent at %s, want %s", at, interval)
	}
}

func TestSlowDeltasAreNotDelayed(t *testing.T) {
	t.Parallel()
	const deltas, interval = 50, 25 * time.Millisecond
	for _, write := range serveDeltas(t, deltas, interval) {
		if write.deltas > 1 || write.at%interval != 0 {
			t.Errorf("%d deltas were sent at %s", write.deltas, write.at)
		}
	}
}

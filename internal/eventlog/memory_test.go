package eventlog

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// ended makes a log with a text that has ended.
func ended(m *Memory, text string) uuid.UUID {
	id := uuid.New()
	log := m.Create(id)
	log.AppendText(uuid.New(), text)
	log.End()
	return id
}

func isKept(t *testing.T, m *Memory, id uuid.UUID) bool {
	t.Helper()
	follower, err := m.Follow(t.Context(), id, 0)
	if chat.CodeOf(err) == chat.CodeRunLogExpired {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	follower.Close()
	return true
}

func TestLogExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory(Options{TTL: time.Minute, MaxBytes: 1 << 20})
		live := uuid.New()
		m.Create(live).AppendText(uuid.New(), "text")
		first := ended(m, "first")
		time.Sleep(30 * time.Second) // on the test's own clock
		second := ended(m, "second")
		reading, err := m.Follow(t.Context(), first, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []struct {
			after         time.Duration
			first, second bool
		}{{29 * time.Second, true, true}, {2 * time.Second, false, true}, {30 * time.Second, false, false}} {
			time.Sleep(want.after)
			synctest.Wait()
			if got := isKept(t, m, first); got != want.first {
				t.Errorf("the first log is kept: %t", got)
			}
			if got := isKept(t, m, second); got != want.second {
				t.Errorf("the second log is kept: %t", got)
			}
		}
		if !isKept(t, m, live) {
			t.Error("a log that has not ended is dropped")
		}
		if events, ended := reading.Poll(); len(events) != 1 || !ended {
			t.Errorf("a follower of a log that expired reads %d events, ended %t", len(events), ended)
		}
		if m.endedBytes != 0 || len(m.ended) != 0 || len(m.logs) != 1 {
			t.Errorf("%d bytes and %d logs are left", m.endedBytes, len(m.logs))
		}
	})
}

// The oldest logs that have ended are dropped where all are too large; those that
// have not ended take no room of theirs.
func TestOldestEndedLogIsDropped(t *testing.T) {
	t.Parallel()
	m := NewMemory(Options{TTL: time.Minute, MaxBytes: 100 << 10})
	live := uuid.New()
	m.Create(live).AppendText(uuid.New(), strings.Repeat("a", 1<<20))
	var logs []uuid.UUID
	for range 20 {
		logs = append(logs, ended(m, strings.Repeat("a", 9<<10)))
	}
	for n, id := range logs {
		if got, want := isKept(t, m, id), n >= 10; got != want {
			t.Errorf("log %d is kept: %t", n, got)
		}
	}
	if !isKept(t, m, live) {
		t.Error("a log that has not ended is dropped")
	}
	if m.endedBytes > 100<<10 {
		t.Errorf("the logs have %d bytes", m.endedBytes)
	}
}

// A log larger than all the room is not kept.
func TestLogThatDoesNotFit(t *testing.T) {
	t.Parallel()
	m := NewMemory(Options{TTL: time.Minute, MaxBytes: 100})
	if isKept(t, m, ended(m, "text")) || m.endedBytes != 0 {
		t.Errorf("it is kept, with %d bytes", m.endedBytes)
	}
}

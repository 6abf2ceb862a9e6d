package eventlog

import (
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

func newLog() chat.RunLog {
	return NewMemory(Options{TTL: time.Minute, MaxBytes: 1 << 20}).Create(uuid.New())
}

// read follows a log to its end and returns the deltas in order.
func read(t *testing.T, f chat.Follower) string {
	t.Helper()
	var text strings.Builder
	for {
		events, ended := f.Poll()
		for _, event := range events {
			delta, ok := event.(*chat.TextDelta)
			if !ok {
				t.Errorf("event %T in a log of deltas", event)
			}
			text.WriteString(delta.Delta)
		}
		if ended {
			return text.String()
		}
		select {
		case <-f.Ready():
		case <-t.Context().Done():
			t.Error("the log did not end")
			return ""
		}
	}
}

// Many follow one log, from different places, while it grows: each gets what
// comes after its place, whole and in order.
func TestFollowersReadTheSame(t *testing.T) {
	t.Parallel()
	const events, followers = 1000, 8
	log, item := newLog(), uuid.New()
	var want [followers]strings.Builder
	var group sync.WaitGroup
	for n := range followers {
		for seq := n + 1; seq <= events; seq++ {
			want[n].WriteString(strconv.Itoa(seq) + " ")
		}
		group.Go(func() {
			follower := log.Follow(n)
			defer follower.Close()
			if got := read(t, follower); got != want[n].String() {
				t.Errorf("follower from %d read %q", n, got)
			}
			if follower.Seq() != events {
				t.Errorf("follower from %d is at %d, want %d", n, follower.Seq(), events)
			}
		})
	}
	var text strings.Builder
	for seq := 1; seq <= events; seq++ {
		text.WriteString(strconv.Itoa(seq) + " ")
		log.AppendText(item, text.String())
	}
	log.End()
	group.Wait()
}

// A follower that does not read delays no other, and reads all events later.
func TestSlowFollowerDelaysNoOther(t *testing.T) {
	t.Parallel()
	log, item := newLog(), uuid.New()
	slow := log.Follow(0)
	var text strings.Builder
	for range 10_000 {
		text.WriteByte('x')
		log.AppendText(item, text.String())
	}
	log.End()
	if got := len(read(t, slow)); got != 10_000 {
		t.Errorf("read %d deltas of 10000", got)
	}
}

// Deltas share one text. Each must be its own piece of it, also where another
// event stands between them, where the next item begins, and where a follower
// begins between them.
func TestDeltasAreThePiecesOfTheirText(t *testing.T) {
	t.Parallel()
	first, second := uuid.New(), uuid.New()
	log := newLog()
	log.Append(chat.PartAdded{ItemID: first})
	log.AppendText(first, " one")
	log.AppendText(first, " one two")
	log.Append(chat.Progress{Text: "looking"})
	log.AppendText(first, " one two three")
	log.AppendText(second, "four")
	log.End()
	want := []chat.Event{
		chat.PartAdded{ItemID: first},
		&chat.TextDelta{ItemID: first, Delta: " one"}, &chat.TextDelta{ItemID: first, Delta: " two"},
		chat.Progress{Text: "looking"},
		&chat.TextDelta{ItemID: first, Delta: " three"},
		&chat.TextDelta{ItemID: second, Delta: "four"},
	}
	for after := range len(want) + 1 {
		events, ended := log.Follow(after).Poll()
		if !ended || len(events) != len(want)-after || (len(events) > 0 && !reflect.DeepEqual(events, want[after:])) {
			t.Errorf("after %d: %v, ended %v", after, events, ended)
		}
	}
}

package runs

import (
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// read follows a log to its end and returns the deltas in order.
func read(t *testing.T, f *Follower) string {
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
	log, item := newRunLog(), uuid.New()
	var want [followers]strings.Builder
	var group sync.WaitGroup
	for n := range followers {
		for seq := n + 1; seq <= events; seq++ {
			want[n].WriteString(strconv.Itoa(seq) + " ")
		}
		group.Go(func() {
			follower := log.follow(n)
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
		log.appendText(item, text.String())
	}
	log.end()
	group.Wait()
}

// A follower that does not read holds nobody up, and reads it all later.
func TestSleepingFollowerHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	log, item := newRunLog(), uuid.New()
	sleeper := log.follow(0)
	var text strings.Builder
	for range 10_000 {
		text.WriteByte('x')
		log.appendText(item, text.String())
	}
	log.end()
	if got := len(read(t, sleeper)); got != 10_000 {
		t.Errorf("read %d deltas of 10000", got)
	}
}

// Deltas share one text. Each must be its own piece of it, also where another
// event stands between them, where the next item begins, and where a follower
// begins in their midst.
func TestDeltasAreThePiecesOfTheirText(t *testing.T) {
	t.Parallel()
	first, second := uuid.New(), uuid.New()
	log := newRunLog()
	log.append(chat.PartAdded{ItemID: first})
	log.appendText(first, " one")
	log.appendText(first, " one two")
	log.append(chat.Progress{Text: "looking"})
	log.appendText(first, " one two three")
	log.appendText(second, "four")
	log.end()
	want := []chat.Event{
		chat.PartAdded{ItemID: first},
		&chat.TextDelta{ItemID: first, Delta: " one"}, &chat.TextDelta{ItemID: first, Delta: " two"},
		chat.Progress{Text: "looking"},
		&chat.TextDelta{ItemID: first, Delta: " three"},
		&chat.TextDelta{ItemID: second, Delta: "four"},
	}
	for after := range len(want) + 1 {
		events, ended := log.follow(after).Poll()
		if !ended || len(events) != len(want)-after || (len(events) > 0 && !reflect.DeepEqual(events, want[after:])) {
			t.Errorf("after %d: %v, ended %v", after, events, ended)
		}
	}
}

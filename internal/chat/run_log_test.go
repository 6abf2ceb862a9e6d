package chat

import (
	"strconv"
	"strings"
	"sync"
	"testing"
)

// read follows a log to its end and returns the deltas in order.
func read(t *testing.T, f *Follower) string {
	t.Helper()
	var text strings.Builder
	for {
		events, ended := f.Poll()
		for _, event := range events {
			delta, ok := event.(*TextDelta)
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
	const events, followers = 500, 8
	log := newRunLog()
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
	for seq := 1; seq <= events; seq++ {
		log.appendDelta(TextDelta{Delta: strconv.Itoa(seq) + " "})
	}
	log.end()
	group.Wait()
}

// A follower that does not read holds nobody up, and reads it all later.
func TestSleepingFollowerHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	log := newRunLog()
	sleeper := log.follow(0)
	for range 10_000 {
		log.appendDelta(TextDelta{Delta: "x"})
	}
	log.end()
	if got := len(read(t, sleeper)); got != 10_000 {
		t.Errorf("read %d deltas of 10000", got)
	}
}

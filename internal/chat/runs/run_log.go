package runs

import (
	"slices"
	"sync"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// runLog holds the events of a run. The executor appends; any number of
// followers read, each at its own pace and from its own place. An event's
// sequence number is its place in the log, from 1. A follower never blocks the
// executor.
type runLog struct {
	mu      sync.Mutex
	entries []logEntry
	// length is the number of events.
	length int
	// deltas are those that were added last; nil before the first.
	deltas    *loggedDeltas
	ended     bool
	followers []*Follower

	// opened is closed once it is known whether upstream answers at all.
	// Refusal is set before that; it is nil where upstream answers.
	opened  chan struct{}
	refusal error
	isOpen  bool
}

// logEntry is one event, or several text deltas in a row.
type logEntry struct {
	// before is the number of events before this entry.
	before int
	event  chat.Event // nil where deltas is set
	deltas *loggedDeltas
}

// loggedDeltas are text deltas of one item. They share the text that the
// executor builds: a delta held by itself takes several times the memory of its
// text, and an answer has thousands.
type loggedDeltas struct {
	itemID uuid.UUID
	text   string // the item's text so far
	// start is where the first delta starts in text, and ends are where each
	// delta ends.
	start int32
	ends  []int32
}

func newRunLog() *runLog { return &runLog{opened: make(chan struct{})} }

func (l *runLog) append(events ...chat.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, event := range events {
		l.entries = append(l.entries, logEntry{before: l.length, event: event})
		l.length++
	}
	l.wake()
}

// appendText adds a delta. The text is the item's whole text so far; what it has
// beyond the text of the last call is the delta.
func (l *runLog) appendText(itemID uuid.UUID, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	deltas := l.deltas
	if deltas == nil || deltas.itemID != itemID || l.entries[len(l.entries)-1].deltas != deltas {
		deltas = &loggedDeltas{itemID: itemID}
		if l.deltas != nil && l.deltas.itemID == itemID {
			deltas.start = l.deltas.ends[len(l.deltas.ends)-1]
		}
		l.entries = append(l.entries, logEntry{before: l.length, deltas: deltas})
		l.deltas = deltas
	}
	deltas.text = text
	deltas.ends = append(deltas.ends, int32(len(text))) //nolint:gosec // maxAnswerBytes bounds it
	l.length++
	l.wake()
}

// appendAfter appends the entry's events with a sequence number above seq to
// events, until there are maxPoll.
func (e logEntry) appendAfter(events []chat.Event, seq int) []chat.Event {
	if e.deltas == nil {
		if e.before >= seq && len(events) < maxPoll {
			events = append(events, e.event)
		}
		return events
	}
	first := max(0, seq-e.before)
	count := min(len(e.deltas.ends)-first, maxPoll-len(events))
	if count <= 0 {
		return events
	}
	start := e.deltas.start
	if first > 0 {
		start = e.deltas.ends[first-1]
	}
	made := make([]chat.TextDelta, count)
	for n, end := range e.deltas.ends[first : first+count] {
		made[n] = chat.TextDelta{ItemID: e.deltas.itemID, Delta: e.deltas.text[start:end]}
		events = append(events, &made[n])
		start = end
	}
	return events
}

// open records that upstream answers, or that it refused. Only the first call
// counts.
func (l *runLog) open(refusal error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isOpen {
		return
	}
	l.isOpen, l.refusal = true, refusal
	close(l.opened)
}

func (l *runLog) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	l.wake()
}

// wake is called with the lock held.
func (l *runLog) wake() {
	for _, f := range l.followers {
		f.signal()
	}
}

// maxPoll is how many events Poll returns at most. It bounds what a follower
// that is behind holds.
const maxPoll = 256

// Follower reads the log of a run. It is used by one goroutine.
type Follower struct {
	log *runLog
	seq int
	// entry is the entry that holds the event after seq, or one before it.
	entry int
	ready chan struct{}
}

// follow returns a follower that begins after the event with sequence number
// after; 0 begins with the first.
func (l *runLog) follow(after int) *Follower {
	f := &Follower{log: l, seq: after, ready: make(chan struct{}, 1)}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.followers = append(l.followers, f)
	f.signal()
	return f
}

// signal makes Ready receive a value, unless one waits there already.
func (f *Follower) signal() {
	select {
	case f.ready <- struct{}{}:
	default:
	}
}

// Poll returns events since the last call without blocking, and whether the run
// has ended so that none will follow these. It returns some hundred at most;
// Ready receives a value if there are more.
func (f *Follower) Poll() (events []chat.Event, ended bool) {
	l := f.log
	l.mu.Lock()
	defer l.mu.Unlock()
	for f.entry < len(l.entries) {
		events = l.entries[f.entry].appendAfter(events, f.seq)
		if len(events) == maxPoll || f.entry == len(l.entries)-1 {
			break // Deltas may be added to the last entry.
		}
		f.entry++
	}
	f.seq += len(events)
	if f.seq < l.length {
		f.signal()
	}
	return events, l.ended && f.seq >= l.length
}

// Seq is the sequence number of the last event Poll returned.
func (f *Follower) Seq() int { return f.seq }

// Ready receives a value when Poll has something new.
func (f *Follower) Ready() <-chan struct{} { return f.ready }

// Close ends the following; the run continues.
func (f *Follower) Close() {
	f.log.mu.Lock()
	defer f.log.mu.Unlock()
	f.log.followers = slices.DeleteFunc(f.log.followers, func(other *Follower) bool { return other == f })
}

package eventlog

import (
	"slices"
	"sync"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// log is a [chat.RunLog] in memory.
type log struct {
	run uuid.UUID
	// memory keeps the log after its end; nil in a mirror.
	memory *Memory
	// appended is called with the lock held when the log has something new; nil for
	// nothing.
	appended func()
	// size is set when the log has ended; see Memory.keep.
	size int

	mu      sync.Mutex
	entries []logEntry
	// length is the number of events.
	length int
	// deltas are those that were added last; nil before the first.
	deltas    *loggedDeltas
	ended     bool
	err       error // See chat.Follower.Err.
	followers []*follower
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

// onAppend has appended called from now on; see log.appended.
func (l *log) onAppend(appended func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.appended = appended
}

// Append implements [chat.RunLog].
func (l *log) Append(events ...chat.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, event := range events {
		l.entries = append(l.entries, logEntry{before: l.length, event: event})
		l.length++
	}
	l.wake()
}

// AppendText implements [chat.RunLog].
func (l *log) AppendText(itemID uuid.UUID, text string) {
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

// End implements [chat.RunLog].
func (l *log) End() {
	if size, isFirst := l.end(nil); isFirst {
		l.memory.keep(l, size)
	}
}

// end ends the log, with an error if the run has events that will never be in it. It
// returns the log's size, and whether this was the first call.
func (l *log) end(err error) (size int, isFirst bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return 0, false
	}
	l.ended, l.err = true, err
	l.wake()
	return l.bytes(), true
}

// bytes is about the memory that the log takes. It is called with the lock held.
func (l *log) bytes() int {
	size := logBytes
	for _, entry := range l.entries {
		size += entryBytes
		if deltas := entry.deltas; deltas != nil {
			size += len(deltas.text) - int(deltas.start) + 4*cap(deltas.ends)
		} else {
			size += sizeOf(entry.event)
		}
	}
	return size
}

// wake is called with the lock held.
func (l *log) wake() {
	if l.appended != nil {
		l.appended()
	}
	for _, f := range l.followers {
		f.signal()
	}
}

// maxPoll is how many events Poll returns at most. It bounds what a follower
// that is behind holds.
const maxPoll = 256

// follower is a [chat.Follower] of a log.
type follower struct {
	log *log
	seq int
	// entry is the entry that holds the event after seq, or one before it.
	entry int
	ready chan struct{}
}

// Follow implements [chat.RunLog].
func (l *log) Follow(after int) chat.Follower {
	f := &follower{log: l, seq: after, ready: make(chan struct{}, 1)}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.followers = append(l.followers, f)
	f.signal()
	return f
}

// signal makes Ready receive a value, unless one waits there already.
func (f *follower) signal() {
	select {
	case f.ready <- struct{}{}:
	default:
	}
}

// Poll implements [chat.Follower].
func (f *follower) Poll() (events []chat.Event, ended bool) {
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

// Seq implements [chat.Follower].
func (f *follower) Seq() int { return f.seq }

// Err implements [chat.Follower].
func (f *follower) Err() error {
	f.log.mu.Lock()
	defer f.log.mu.Unlock()
	return f.log.err
}

// Ready implements [chat.Follower].
func (f *follower) Ready() <-chan struct{} { return f.ready }

// Close implements [chat.Follower].
func (f *follower) Close() {
	f.log.mu.Lock()
	defer f.log.mu.Unlock()
	f.log.followers = slices.DeleteFunc(f.log.followers, func(other *follower) bool { return other == f })
}

package chat

import (
	"slices"
	"sync"
)

// runLog holds the events of a run. The executor appends; any number of
// followers read, each at its own pace and from its own place. An event's
// sequence number is its place in the log, from 1. A follower never blocks the
// executor.
type runLog struct {
	mu        sync.Mutex
	events    []Event
	ended     bool
	followers []*Follower
	// deltas has room for the next text deltas. They are most of a log, so they
	// are allocated many at a time.
	deltas []TextDelta

	// opened is closed once it is known whether upstream answers at all.
	// Refusal is set before that; it is nil where upstream answers.
	opened  chan struct{}
	refusal error
	isOpen  bool
}

func newRunLog(events ...Event) *runLog {
	return &runLog{
		events: events,
		opened: make(chan struct{}),
	}
}

func (l *runLog) append(events ...Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, events...)
	l.wake()
}

// The bounds of how many deltas are allocated at a time; the number grows with
// the log.
const (
	minDeltas = 8
	maxDeltas = 256
)

func (l *runLog) appendDelta(delta TextDelta) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.deltas) == cap(l.deltas) {
		l.deltas = make([]TextDelta, 0, min(max(2*cap(l.deltas), minDeltas), maxDeltas))
	}
	l.deltas = append(l.deltas, delta)
	l.events = append(l.events, &l.deltas[len(l.deltas)-1])
	l.wake()
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
		select {
		case f.ready <- struct{}{}:
		default: // It has not polled since the last call.
		}
	}
}

// Follower reads the log of a run. It is used by one goroutine.
type Follower struct {
	log   *runLog
	seq   int
	ready chan struct{}
}

// follow returns a follower that begins after the event with sequence number
// after; 0 begins with the first.
func (l *runLog) follow(after int) *Follower {
	f := &Follower{log: l, seq: after, ready: make(chan struct{}, 1)}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.followers = append(l.followers, f)
	f.ready <- struct{}{}
	return f
}

// Poll returns the events since the last call without blocking, and whether
// the run has ended so that none will follow these. The events must not be
// changed.
func (f *Follower) Poll() (events []Event, ended bool) {
	f.log.mu.Lock()
	defer f.log.mu.Unlock()
	if f.seq < len(f.log.events) {
		events = f.log.events[f.seq:len(f.log.events):len(f.log.events)]
		f.seq = len(f.log.events)
	}
	return events, f.log.ended
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

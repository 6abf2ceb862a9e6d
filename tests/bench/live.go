package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// openers is how many streams are opened at a time.
	openers = 32
	// streamPatience is how long a stream may take to begin.
	streamPatience = 60 * time.Second
)

// live is a number of streams that stay open while something else is measured.
type live struct {
	streams   []*liveStream
	recording atomic.Bool
	closing   atomic.Bool
	readers   sync.WaitGroup
}

type liveStream struct {
	client *client
	deltas int
	// begun is closed when enough deltas have come, or the stream has failed.
	begun chan struct{}
	err   error
	// delays are how long deltas took from the upstream's write to here.
	delays []time.Duration
}

// startLive starts n streams and returns when each has had the given number
// of deltas.
func startLive(ctx context.Context, w *way, n, begun int, a answer) (*live, error) {
	requests, err := w.requests(ctx, n, a)
	if err != nil {
		return nil, err
	}
	clients, err := dialAll(ctx, w.process.address, n)
	if err != nil {
		return nil, err
	}
	l := &live{}
	turns := make(chan struct{}, openers)
	for i, c := range clients {
		s := &liveStream{client: c, begun: make(chan struct{})}
		l.streams = append(l.streams, s)
		turns <- struct{}{}
		l.readers.Go(func() { l.read(s, requests[i], begun, turns) })
	}
	patience := time.After(streamPatience)
	for _, s := range l.streams {
		select {
		case <-s.begun:
			err = s.err
		case <-patience:
			err = errors.New("the streams did not begin in time")
		case <-ctx.Done():
			err = ctx.Err()
		}
		if err != nil {
			l.close()
			return nil, fmt.Errorf("%s: %w", w.name, err)
		}
	}
	return l, nil
}

// read reads a stream until it ends or is closed. It gives its turn back when
// the stream has begun.
func (l *live) read(s *liveStream, request []byte, begun int, turns <-chan struct{}) {
	begin := sync.OnceFunc(func() { close(s.begun); <-turns })
	defer begin()
	body, err := s.client.ask(request)
	if err != nil {
		s.err = err
		return
	}
	s.err = readStamps(body, func(line []byte, at time.Time) {
		wrote, ok := findStamp(line, wroteMark)
		if !ok {
			return
		}
		if s.deltas++; s.deltas == begun {
			begin()
		}
		if l.recording.Load() {
			s.delays = append(s.delays, at.Sub(wrote))
		}
	})
	if !l.closing.Load() && s.err == nil {
		s.err = errors.New("a stream ended too early")
	}
}

// record begins to note the delays of deltas.
func (l *live) record() { l.recording.Store(true) }

// close disconnects the streams and returns what was recorded.
func (l *live) close() []time.Duration {
	l.recording.Store(false)
	l.closing.Store(true)
	for _, s := range l.streams {
		s.client.close()
	}
	l.readers.Wait()
	var delays []time.Duration
	for _, s := range l.streams {
		delays = append(delays, s.delays...)
	}
	return delays
}

// atOnce runs f for each number below n at the same time and returns the
// first error.
func atOnce(n int, f func(i int) error) error {
	failed := make([]error, n)
	var running sync.WaitGroup
	for i := range n {
		running.Go(func() { failed[i] = f(i) })
	}
	running.Wait()
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}

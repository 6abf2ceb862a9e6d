package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/bench/loadclient"
	"github.com/chatkit-rest/chatkit-rest/tests/bench/script"
)

const (
	// maxOpening is the number of streams that are opened at the same time.
	maxOpening = 32
	// streamStartTimeout is how long a stream may take to start.
	streamStartTimeout = 60 * time.Second
)

// streamGroup is a group of streams that stay open during a measurement.
type streamGroup struct {
	streams   []*groupStream
	recording atomic.Bool
	closing   atomic.Bool
	readers   sync.WaitGroup
}

type groupStream struct {
	client *loadclient.Client
	deltas int
	// started is closed when enough deltas have arrived, or the stream has failed.
	started chan struct{}
	err     error
	// delays are the times from the upstream's write of a delta to its arrival.
	delays []time.Duration
}

// startStreams starts n streams and returns when startDeltas deltas of each have
// arrived.
func startStreams(ctx context.Context, t *target, n, startDeltas int, a script.Answer) (*streamGroup, error) {
	requests, err := t.requests(ctx, n, a)
	if err != nil {
		return nil, err
	}
	clients, err := loadclient.DialAll(ctx, t.process.address, n)
	if err != nil {
		return nil, err
	}
	g := &streamGroup{}
	opening := make(chan struct{}, maxOpening)
	for i, c := range clients {
		s := &groupStream{client: c, started: make(chan struct{})}
		g.streams = append(g.streams, s)
		opening <- struct{}{}
		g.readers.Go(func() { g.read(s, requests[i], startDeltas, opening) })
	}
	timeout := time.After(streamStartTimeout)
	for _, s := range g.streams {
		select {
		case <-s.started:
			err = s.err
		case <-timeout:
			err = errors.New("the streams did not start in time")
		case <-ctx.Done():
			err = ctx.Err()
		}
		if err != nil {
			g.close()
			return nil, fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return g, nil
}

// read reads a stream until it ends or is closed. It receives from opening when
// the stream has started.
func (g *streamGroup) read(s *groupStream, request []byte, startDeltas int, opening <-chan struct{}) {
	start := sync.OnceFunc(func() { close(s.started); <-opening })
	defer start()
	body, err := s.client.Do(request)
	if err != nil {
		s.err = err
		return
	}
	s.err = loadclient.ReadLines(body, func(line []byte, at time.Time) {
		wrote, ok := script.FindStamp(line, script.WroteMark)
		if !ok {
			return
		}
		if s.deltas++; s.deltas == startDeltas {
			start()
		}
		if g.recording.Load() {
			s.delays = append(s.delays, at.Sub(wrote))
		}
	})
	if !g.closing.Load() && s.err == nil {
		s.err = errors.New("a stream ended too early")
	}
}

// record starts the recording of delays.
func (g *streamGroup) record() { g.recording.Store(true) }

// close closes the streams and returns the recorded delays.
func (g *streamGroup) close() []time.Duration {
	g.recording.Store(false)
	g.closing.Store(true)
	for _, s := range g.streams {
		s.client.Close()
	}
	g.readers.Wait()
	var delays []time.Duration
	for _, s := range g.streams {
		delays = append(delays, s.delays...)
	}
	return delays
}

// inParallel calls f for each number from 0 to n-1 at the same time, and returns
// the error with the lowest number.
func inParallel(n int, f func(i int) error) error {
	errs := make([]error, n)
	var running sync.WaitGroup
	for i := range n {
		running.Go(func() { errs[i] = f(i) })
	}
	running.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/bench/database"
	"github.com/chatkit-rest/chatkit-rest/tests/bench/loadclient"
	"github.com/chatkit-rest/chatkit-rest/tests/bench/role"
)

// loadTarget is a server with the requests of a load.
type loadTarget struct {
	name    string
	process *process
	// requests are the requests by kind.
	requests map[string][][]byte
}

func newLoadTarget(name string, p *process) *loadTarget {
	return &loadTarget{name: name, process: p, requests: make(map[string][][]byte)}
}

func (t *loadTarget) add(kind string, request []byte) {
	t.requests[kind] = append(t.requests[kind], request)
}

// The kinds of requests to the REST API.
const (
	kindList    = "list"
	kindHistory = "history"
)

func kinds() []string { return []string{kindList, kindHistory} }

// startLoadedServer starts the server on a database.
func (b *bench) startLoadedServer(ctx context.Context, s *seededDatabase) (*loadTarget, error) {
	server, err := b.startServer(ctx, s.url)
	if err != nil {
		return nil, err
	}
	t := newLoadTarget(server.name, server.process)
	for _, session := range s.sessions {
		token, err := b.tokens.forUser(session.user)
		if err != nil {
			return nil, errors.Join(err, server.process.stop())
		}
		header := "Authorization: Bearer " + token
		t.add(kindList, loadclient.GetRequest("/api/v1/chatkit/sessions", header))
		t.add(kindHistory, loadclient.GetRequest("/api/v1/chatkit/sessions/"+session.id, header))
	}
	return t, nil
}

// startLoadedHandler starts the bare handler on a database.
func startLoadedHandler(ctx context.Context, s *seededDatabase) (*loadTarget, error) {
	p, err := startRole(ctx, role.Handler, role.DatabaseVariable+"="+s.url)
	if err != nil {
		return nil, err
	}
	t := newLoadTarget("bare handler, "+string(database.EngineOf(s.url)), p)
	for _, session := range s.sessions {
		header := role.UserHeader + ": " + session.user
		t.add(kindList, loadclient.GetRequest("/sessions", header))
		t.add(kindHistory, loadclient.GetRequest("/sessions/"+session.id, header))
	}
	return t, nil
}

// loadResult has the results of the rounds of a load.
type loadResult struct {
	rates   []float64 // requests a second
	spreads []spread
	cpu     time.Duration
	count   int
}

// measureLoad runs a round of a load and adds its result. Each client sends its
// requests on one connection, one after another.
func (b *bench) measureLoad(ctx context.Context, t *loadTarget, kind string, result *loadResult) error {
	requests := t.requests[kind]
	clients, err := loadclient.DialAll(ctx, t.process.address, b.scale.clients)
	if err != nil {
		return err
	}
	defer loadclient.CloseAll(clients)
	before, err := t.process.cpuTime()
	if err != nil {
		return err
	}
	durations := make([][]time.Duration, len(clients))
	start := time.Now()
	err = inParallel(len(clients), func(i int) error {
		var err error
		durations[i], err = sendUntil(clients[i], requests[i*len(requests)/len(clients):], start.Add(b.scale.requestTime))
		return err
	})
	elapsed := time.Since(start)
	if err != nil {
		return fmt.Errorf("%s, %s: %w", t.name, kind, err)
	}
	after, err := t.process.cpuTime()
	if err != nil {
		return err
	}
	var all []time.Duration
	for _, list := range durations {
		all = append(all, list...)
	}
	result.rates = append(result.rates, float64(len(all))/elapsed.Seconds())
	result.spreads = append(result.spreads, spreadOf(all))
	result.cpu += after - before
	result.count += len(all)
	return nil
}

// sendUntil sends the requests repeatedly until a time and returns the durations.
func sendUntil(c *loadclient.Client, requests [][]byte, until time.Time) ([]time.Duration, error) {
	durations := make([]time.Duration, 0, 1<<14)
	buffer := make([]byte, loadclient.BufferSize)
	for n := 0; ; n++ {
		start := time.Now()
		if start.After(until) {
			return durations, nil
		}
		body, err := c.Do(requests[n%len(requests)])
		if err != nil {
			return nil, err
		}
		for err == nil {
			_, err = body.Read(buffer)
		}
		if !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read an answer: %w", err)
		}
		durations = append(durations, time.Since(start))
	}
}

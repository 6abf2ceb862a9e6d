package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// reader is a way to lists and histories: the server, or the bare handler.
type reader struct {
	name    string
	process *process
	// lists and histories are requests for those of the sample.
	lists, histories [][]byte
}

func (r *reader) requests(kind string) [][]byte {
	if kind == kindList {
		return r.lists
	}
	return r.histories
}

const (
	kindList    = "list"
	kindHistory = "history"
)

func kinds() []string { return []string{kindList, kindHistory} }

// serverReader starts the server on a database.
func (l *lab) serverReader(ctx context.Context, s *seeded) (*reader, error) {
	w, err := l.startServer(ctx, s.url)
	if err != nil {
		return nil, err
	}
	r := &reader{name: w.name, process: w.process}
	for _, session := range s.sessions {
		token, err := l.tokens.of(session.user)
		if err != nil {
			return nil, errors.Join(err, w.process.stop())
		}
		header := "Authorization: Bearer " + token
		r.lists = append(r.lists, getRequest("/api/v1/chatkit/sessions", header))
		r.histories = append(r.histories, getRequest("/api/v1/chatkit/sessions/"+session.id, header))
	}
	return r, nil
}

// handlerReader starts the bare handler on a database.
func handlerReader(ctx context.Context, s *seeded) (*reader, error) {
	p, err := startRole(ctx, handlerRole, databaseVariable+"="+s.url)
	if err != nil {
		return nil, err
	}
	r := &reader{name: "bare handler, " + string(engineOf(s.url)), process: p}
	for _, session := range s.sessions {
		header := userHeader + ": " + session.user
		r.lists = append(r.lists, getRequest("/sessions", header))
		r.histories = append(r.histories, getRequest("/sessions/"+session.id, header))
	}
	return r, nil
}

func getRequest(path, header string) []byte {
	return []byte("GET " + path + " HTTP/1.1\r\nHost: bench\r\n" + header + "\r\n\r\n")
}

// loaded is what a load came to, round by round.
type loaded struct {
	rates   []float64 // requests a second
	spreads []spread
	cpu     time.Duration
	count   int
}

// ask puts a load on a reader for a round: each client asks on one connection,
// one request after another.
func (l *lab) ask(ctx context.Context, r *reader, kind string, to *loaded) error {
	requests := r.requests(kind)
	clients, err := dialAll(ctx, r.process.address, l.size.clients)
	if err != nil {
		return err
	}
	defer closeAll(clients)
	before, err := r.process.cpuTime()
	if err != nil {
		return err
	}
	taken := make([][]time.Duration, len(clients))
	begin := time.Now()
	err = atOnce(len(clients), func(i int) error {
		var err error
		taken[i], err = askOn(clients[i], requests[i*len(requests)/len(clients):], begin.Add(l.size.requestTime))
		return err
	})
	took := time.Since(begin)
	if err != nil {
		return fmt.Errorf("%s, %s: %w", r.name, kind, err)
	}
	after, err := r.process.cpuTime()
	if err != nil {
		return err
	}
	var all []time.Duration
	for _, list := range taken {
		all = append(all, list...)
	}
	to.rates = append(to.rates, float64(len(all))/took.Seconds())
	to.spreads = append(to.spreads, spreadOf(all))
	to.cpu += after - before
	to.count += len(all)
	return nil
}

// askOn returns how long each request took.
func askOn(c *client, requests [][]byte, until time.Time) ([]time.Duration, error) {
	taken := make([]time.Duration, 0, 1<<14)
	buffer := make([]byte, clientBuffer)
	for n := 0; ; n++ {
		begin := time.Now()
		if begin.After(until) {
			return taken, nil
		}
		body, err := c.ask(requests[n%len(requests)])
		if err != nil {
			return nil, err
		}
		for err == nil {
			_, err = body.Read(buffer)
		}
		if !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read an answer: %w", err)
		}
		taken = append(taken, time.Since(begin))
	}
}

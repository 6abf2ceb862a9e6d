package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/postgres"
)

const (
	// probeDelay is the upstream's own time before its first delta.
	probeDelay  = 20 * time.Millisecond
	probeDeltas = 3
	// maxFirstAdded is the aim: what the server may add to the proxy's p99.
	maxFirstAdded = 5 * time.Millisecond
	// probePool is how many probes may be under way at once, each in a session
	// of its own.
	probePool = 64
)

// probe starts runs, one after another.
type probe struct {
	client  *client
	request []byte
}

// timing is how long a probe took, without the upstream's own time.
type timing struct {
	// event is to the first event.
	event time.Duration
	// request is until the upstream had the request.
	request time.Duration
	err     error
}

// firstRound is what a round of probes found.
type firstRound struct{ event, request, later spread }

// measureFirstEvent starts runs at a steady rate while live streams go on.
func measureFirstEvent(ctx context.Context, l *lab) (err error) {
	ways, err := l.startWays(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopAll(ways)) }()
	durable, stop, err := l.startDurable(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	all := []*way{ways[0], ways[1], durable, ways[len(ways)-1]}

	// The sessions of the probes stay, so that they come to have a history.
	requests := make([][][]byte, len(all))
	for n, w := range all {
		requests[n], err = w.requests(ctx, probePool, answer{First: probeDelay, Deltas: probeDeltas, Stamp: true})
		if err != nil {
			return err
		}
	}
	rounds := make([][]firstRound, len(all))
	for round := range l.size.rounds {
		for n, w := range all {
			l.progressf("first: round %d of %d, %s", round+1, l.size.rounds, w.name)
			found, err := l.probeRound(ctx, w, requests[n])
			if err != nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
			rounds[n] = append(rounds[n], found)
		}
	}
	l.reportFirst(all, rounds)
	return nil
}

// startDurable starts the server on a PostgreSQL that keeps each commit on the
// disk before it answers, as one in production does.
func (l *lab) startDurable(ctx context.Context) (*way, func() error, error) {
	database, err := postgres.Start(ctx, postgres.Durable())
	if err != nil {
		return nil, nil, err
	}
	databaseURL, err := database.NewDatabase(ctx)
	if err != nil {
		return nil, nil, errors.Join(err, database.Stop()) //nolint:contextcheck // it is stopped even so
	}
	w, err := l.startServer(ctx, databaseURL)
	if err != nil {
		return nil, nil, errors.Join(err, database.Stop()) //nolint:contextcheck // it is stopped even so
	}
	w.name += " with fsync"
	stop := func() error { return errors.Join(w.process.stop(), database.Stop()) } //nolint:contextcheck // as above
	return w, stop, nil
}

func (l *lab) probeRound(ctx context.Context, w *way, requests [][]byte) (firstRound, error) {
	background, err := startLive(ctx, w, l.size.liveStreams, 2, answer{
		Deltas: 1 << 20, Burst: 1, Pace: l.size.livePace, Stamp: true,
	})
	if err != nil {
		return firstRound{}, err
	}
	defer background.close()
	clients, err := dialAll(ctx, w.process.address, len(requests))
	if err != nil {
		return firstRound{}, err
	}
	defer closeAll(clients)
	pool := make(chan *probe, len(requests))
	for n, c := range clients {
		pool <- &probe{c, requests[n]}
	}
	background.record()
	total := int(l.size.probeTime.Seconds() * float64(l.size.probeRate))
	timings := make(chan timing, total)
	pace := time.NewTicker(time.Second / time.Duration(l.size.probeRate))
	defer pace.Stop()
	for range total {
		<-pace.C
		p := <-pool
		go func() {
			timings <- p.run()
			pool <- p
		}()
	}
	var event, request []time.Duration
	for range total {
		t := <-timings
		err = errors.Join(err, t.err)
		event, request = append(event, t.event), append(request, t.request)
	}
	return firstRound{spreadOf(event), spreadOf(request), spreadOf(background.close())}, err
}

// run starts a run and reads it to its end.
func (p *probe) run() timing {
	sent := time.Now()
	body, err := p.client.ask(p.request)
	if err != nil {
		return timing{err: err}
	}
	var event, received, wrote time.Time
	err = readStamps(body, func(line []byte, at time.Time) {
		if event.IsZero() {
			event = at
		}
		if stamp, ok := findStamp(line, receivedMark); ok && received.IsZero() {
			received = stamp
			wrote, _ = findStamp(line, wroteMark)
		}
	})
	if err == nil && wrote.IsZero() {
		err = errors.New("a stream had no first delta")
	}
	return timing{event: event.Sub(sent) - wrote.Sub(received), request: received.Sub(sent), err: err}
}

func (l *lab) reportFirst(ways []*way, rounds [][]firstRound) {
	pick := func(n int, f func(firstRound) spread) []spread {
		var list []spread
		for _, r := range rounds[n] {
			list = append(list, f(r))
		}
		return list
	}
	columns := []func(firstRound) spread{
		func(r firstRound) spread { return r.event },
		func(r firstRound) spread { return r.request },
		func(r firstRound) spread { return r.later },
	}
	t := table{head: []string{
		"way", "first event p50", "p99", "upstream has the request p50", "p99", "a later delta p50", "p99",
	}}
	row := func(name string, figure func(column func(firstRound) spread) spread) {
		cells := []string{name}
		for _, column := range columns {
			s := figure(column)
			cells = append(cells, milliseconds(s.p50), milliseconds(s.p99))
		}
		t.add(cells...)
	}
	proxy := len(ways) - 1
	for n, w := range ways {
		row(w.name, func(column func(firstRound) spread) spread { return medianSpread(pick(n, column)) })
	}
	for n, w := range ways[:proxy] {
		added := func(column func(firstRound) spread) spread { return difference(pick(n, column), pick(proxy, column)) }
		row("added by "+w.short(), added)
		p99 := added(columns[0]).p99
		l.report.aim("p99 added to the first event, "+w.short(), milliseconds(p99), "< "+milliseconds(maxFirstAdded), p99 < maxFirstAdded)
	}
	l.report.part("Time to the first event",
		fmt.Sprintf("%d live streams, a delta every %s each, and %d new runs a second for %s a round (%d rounds). "+
			"From the request's sending to the first event's reading, less the upstream's own time (it waits %s). "+
			"fsync is off in the plain PostgreSQL: SQLite's WAL does not wait for the disk either.",
			l.size.liveStreams, l.size.livePace, l.size.probeRate, l.size.probeTime, l.size.rounds, probeDelay), t)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/bench/loadclient"
	"github.com/chatkit-rest/chatkit-rest/tests/bench/script"
	"github.com/chatkit-rest/chatkit-rest/tests/postgres"
)

const (
	// probeDelay is the upstream's delay before its first delta.
	probeDelay  = 20 * time.Millisecond
	probeDeltas = 3
	// maxFirstAdded is the aim: the time that the server may add to the proxy's p99.
	maxFirstAdded = 5 * time.Millisecond
	// probePool is the number of probes that may run at the same time, each in
	// a session of its own.
	probePool = 64
)

// probe sends the same request repeatedly to start runs.
type probe struct {
	client  *loadclient.Client
	request []byte
}

// probeTiming has the times of a probe.
type probeTiming struct {
	// firstEvent is the time from the request to the first event, less the
	// upstream's own time.
	firstEvent time.Duration
	// upstreamRequest is the time from the request to its arrival at the upstream.
	upstreamRequest time.Duration
	err             error
}

// probeResult has the times of a round of probes, and the delays of the deltas
// of the live streams meanwhile.
type probeResult struct{ firstEvent, upstreamRequest, liveDelta spread }

// measureFirstEvent starts runs at a constant rate beside live streams.
func measureFirstEvent(ctx context.Context, b *bench) (err error) {
	targets, err := b.startTargets(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopAll(targets)) }()
	durable, stop, err := b.startDurable(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	all := []*target{targets[0], targets[1], durable, targets[len(targets)-1]}

	// All rounds use the same sessions, so that the sessions get a history.
	requests := make([][][]byte, len(all))
	for n, t := range all {
		requests[n], err = t.requests(ctx, probePool, script.Answer{First: probeDelay, Deltas: probeDeltas, Stamp: true})
		if err != nil {
			return err
		}
	}
	rounds := make([][]probeResult, len(all))
	for round := range b.scale.rounds {
		for n, t := range all {
			b.progressf("first: round %d of %d, %s", round+1, b.scale.rounds, t.name)
			result, err := b.probeRound(ctx, t, requests[n])
			if err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			rounds[n] = append(rounds[n], result)
		}
	}
	b.reportFirst(all, rounds)
	return nil
}

// startDurable starts the server on a PostgreSQL that syncs each commit to the
// disk, as in production.
func (b *bench) startDurable(ctx context.Context) (*target, func() error, error) {
	postgreSQL, err := postgres.Start(ctx, postgres.Durable())
	if err != nil {
		return nil, nil, err
	}
	databaseURL, err := postgreSQL.NewDatabase(ctx)
	if err != nil {
		return nil, nil, errors.Join(err, postgreSQL.Stop()) //nolint:contextcheck // PostgreSQL is stopped even so
	}
	t, err := b.startServer(ctx, databaseURL)
	if err != nil {
		return nil, nil, errors.Join(err, postgreSQL.Stop()) //nolint:contextcheck // PostgreSQL is stopped even so
	}
	t.name += " with fsync"
	stop := func() error { return errors.Join(t.process.stop(), postgreSQL.Stop()) } //nolint:contextcheck // as above
	return t, stop, nil
}

func (b *bench) probeRound(ctx context.Context, t *target, requests [][]byte) (probeResult, error) {
	background, err := startStreams(ctx, t, b.scale.liveStreams, 2, script.Answer{
		Deltas: 1 << 20, Burst: 1, Pace: b.scale.livePace, Stamp: true,
	})
	if err != nil {
		return probeResult{}, err
	}
	defer background.close()
	clients, err := loadclient.DialAll(ctx, t.process.address, len(requests))
	if err != nil {
		return probeResult{}, err
	}
	defer loadclient.CloseAll(clients)
	pool := make(chan *probe, len(requests))
	for n, c := range clients {
		pool <- &probe{c, requests[n]}
	}
	background.record()
	total := int(b.scale.probeTime.Seconds() * float64(b.scale.probeRate))
	timings := make(chan probeTiming, total)
	pace := time.NewTicker(time.Second / time.Duration(b.scale.probeRate))
	defer pace.Stop()
	for range total {
		<-pace.C
		p := <-pool
		go func() {
			timings <- p.run()
			pool <- p
		}()
	}
	var firstEvents, upstreamRequests []time.Duration
	for range total {
		timing := <-timings
		err = errors.Join(err, timing.err)
		firstEvents = append(firstEvents, timing.firstEvent)
		upstreamRequests = append(upstreamRequests, timing.upstreamRequest)
	}
	return probeResult{spreadOf(firstEvents), spreadOf(upstreamRequests), spreadOf(background.close())}, err
}

// run starts a run and reads its stream to the end.
func (p *probe) run() probeTiming {
	sent := time.Now()
	body, err := p.client.Do(p.request)
	if err != nil {
		return probeTiming{err: err}
	}
	var firstEvent, received, wrote time.Time
	err = loadclient.ReadLines(body, func(line []byte, at time.Time) {
		if firstEvent.IsZero() {
			firstEvent = at
		}
		if stamp, ok := script.FindStamp(line, script.ReceivedMark); ok && received.IsZero() {
			received = stamp
			wrote, _ = script.FindStamp(line, script.WroteMark)
		}
	})
	if err == nil && wrote.IsZero() {
		err = errors.New("a stream had no first delta")
	}
	return probeTiming{
		firstEvent:      firstEvent.Sub(sent) - wrote.Sub(received),
		upstreamRequest: received.Sub(sent),
		err:             err,
	}
}

func (b *bench) reportFirst(targets []*target, rounds [][]probeResult) {
	spreadsOf := func(n int, f func(probeResult) spread) []spread {
		var list []spread
		for _, r := range rounds[n] {
			list = append(list, f(r))
		}
		return list
	}
	columns := []func(probeResult) spread{
		func(r probeResult) spread { return r.firstEvent },
		func(r probeResult) spread { return r.upstreamRequest },
		func(r probeResult) spread { return r.liveDelta },
	}
	results := table{header: []string{
		"target", "first event p50", "p99", "request at the upstream p50", "p99", "delta of a live stream p50", "p99",
	}}
	row := func(name string, figure func(column func(probeResult) spread) spread) {
		cells := []string{name}
		for _, column := range columns {
			s := figure(column)
			cells = append(cells, milliseconds(s.p50), milliseconds(s.p99))
		}
		results.add(cells...)
	}
	proxy := len(targets) - 1
	for n, t := range targets {
		row(t.name, func(column func(probeResult) spread) spread { return medianSpread(spreadsOf(n, column)) })
	}
	for n, t := range targets[:proxy] {
		added := func(column func(probeResult) spread) spread {
			return difference(spreadsOf(n, column), spreadsOf(proxy, column))
		}
		row("added by "+t.short(), added)
		p99 := added(columns[0]).p99
		b.report.addAim("p99 added to the first event, "+t.short(), milliseconds(p99), "< "+milliseconds(maxFirstAdded), p99 < maxFirstAdded)
	}
	b.report.addSection("Time to the first event",
		fmt.Sprintf("%d live streams, a delta every %s each, and %d new runs a second for %s a round (%d rounds). "+
			"The time from sending the request to reading the first event, less the upstream's own time (it waits %s). "+
			"PostgreSQL without \"with fsync\" does not sync its commits; neither does SQLite's WAL.",
			b.scale.liveStreams, b.scale.livePace, b.scale.probeRate, b.scale.probeTime, b.scale.rounds, probeDelay), results)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"
)

// relayCase is a load for the relay.
type relayCase struct {
	streams int
	// block is how many deltas a write of the upstream has.
	block int
	// pace is between the deltas of a stream; zero is as fast as they can be
	// written.
	pace time.Duration
}

func (c relayCase) String() string {
	if c.pace > 0 {
		return fmt.Sprintf("one every %s", c.pace)
	}
	return fmt.Sprintf("%d a write", c.block)
}

// answer is what each stream of the case gets.
func (c relayCase) answer(deltas int) answer {
	a := answer{First: relayDelay, Deltas: deltas, Block: c.block, Pace: c.pace}
	if c.pace > 0 {
		a.Deltas = int(pacedTime / c.pace)
	}
	return a
}

// pacedTime is how long a stream with a pace goes on.
const pacedTime = 2 * time.Second

// relayed is what a way did with a load, round by round.
type relayed struct {
	rates  []float64 // deltas a second
	cpu    time.Duration
	deltas int
}

func (r *relayed) add(one relayed) {
	r.rates, r.cpu, r.deltas = append(r.rates, one.rates...), r.cpu+one.cpu, r.deltas+one.deltas
}

// perMillion is the CPU time of a million deltas.
func (r *relayed) perMillion() time.Duration {
	return r.cpu * 1_000_000 / time.Duration(max(r.deltas, 1))
}

// measureRelay relays deltas as fast as they come.
func measureRelay(ctx context.Context, l *lab) (err error) {
	ways, err := l.startWays(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopAll(ways)) }()
	alone := proxyWay(l.upstream)
	alone.name = "upstream alone"
	for _, w := range ways {
		// A warm-up.
		if _, err := relay(ctx, w, 10, answer{Deltas: l.size.relayDeltas / 10}); err != nil {
			return err
		}
	}
	t := table{head: []string{
		"streams", "deltas come", "way", "deltas a second", "of the proxy's", "CPU s a million", "proxy's share of it",
	}}
	var cases []relayCase
	for _, streams := range l.size.relayStreams {
		cases = append(cases, relayCase{streams: streams, block: 1})
	}
	cases = append(cases, relayCase{streams: 10, block: 20}, relayCase{streams: 20, pace: 2 * time.Millisecond})
	for _, c := range cases {
		deltas := l.size.relayDeltas
		if c.pace > 0 {
			deltas = l.size.pacedDeltas
		}
		found := make([]relayed, len(ways)+1)
		for round := range l.size.rounds {
			l.progressf("relay: %d streams, %s, round %d of %d", c.streams, c, round+1, l.size.rounds)
			for n, w := range append(ways, alone) {
				one, err := relay(ctx, w, c.streams, c.answer(min(deltas/c.streams, longestAnswer)))
				if err != nil {
					return err
				}
				found[n].add(one)
			}
		}
		l.reportRelay(&t, c, append(ways, alone), found)
	}
	l.report.part("Deltas relayed",
		fmt.Sprintf("%s deltas a round over all streams (and at most %s in one), %d rounds, as fast as the upstream writes them: "+
			"one delta a write, as upstreams do, and for comparison many in one, and %s at a pace that leaves the machine "+
			"idle at times, where only the CPU time tells.",
			thousands(float64(l.size.relayDeltas)), thousands(longestAnswer), l.size.rounds, thousands(float64(l.size.pacedDeltas))), t)
	return nil
}

// longestAnswer is a number of deltas that the server still keeps: it bounds
// what a run may hold.
const longestAnswer = 100_000

// relayDelay lets all streams be open before the first delta comes, so that a
// round has the relay in it and not the starting of runs.
const relayDelay = 300 * time.Millisecond

// relay makes one round. It is timed from the first delta read to the last,
// and the CPU time is that of the way's process meanwhile.
func relay(ctx context.Context, w *way, streams int, a answer) (relayed, error) {
	requests, err := w.requests(ctx, streams, a)
	if err != nil {
		return relayed{}, err
	}
	clients, err := dialAll(ctx, w.process.address, streams)
	if err != nil {
		return relayed{}, err
	}
	defer closeAll(clients)
	buffers := make([]byte, streams*clientBuffer)
	var began time.Time
	var before time.Duration
	begin := sync.OnceValue(func() (err error) {
		began = time.Now()
		before, err = w.process.cpuTime()
		return err
	})
	err = atOnce(streams, func(i int) error {
		body, err := clients[i].ask(requests[i])
		if err == nil {
			err = begin()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		events, err := countEvents(body, buffers[i*clientBuffer:(i+1)*clientBuffer])
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		return w.checkEvents(events, a.Deltas)
	})
	took := time.Since(began)
	if err != nil {
		return relayed{}, err
	}
	after, err := w.process.cpuTime()
	deltas := streams * a.Deltas
	return relayed{rates: []float64{float64(deltas) / took.Seconds()}, cpu: after - before, deltas: deltas}, err
}

func (l *lab) reportRelay(t *table, c relayCase, ways []*way, found []relayed) {
	proxy := len(ways) - 2 // the upstream alone is last
	for n, w := range ways {
		cells := []string{
			strconv.Itoa(c.streams), c.String(), w.name, thousands(median(found[n].rates)),
			"", seconds(found[n].perMillion()), "",
		}
		if n < proxy {
			rate := ratio(found[n].rates, found[proxy].rates)
			cells[4] = percent(rate)
			cells[6] = percent(float64(found[proxy].cpu) / float64(max(found[n].cpu, clockTick)))
			if c.block == 1 {
				l.report.aim(fmt.Sprintf("deltas relayed of the proxy's rate, %d streams, %s", c.streams, w.short()),
					percent(rate), "60 % or more", rate >= 0.6)
			}
		}
		t.add(cells...)
	}
}

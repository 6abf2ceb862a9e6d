package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/bench/loadclient"
	"github.com/chatkit-rest/chatkit-rest/tests/bench/script"
)

// relayCase is a load for the relay.
type relayCase struct {
	streams int
	// block is the number of deltas in a write of the upstream.
	block int
	// pace is the time between the deltas of a stream; zero means as fast as
	// possible.
	pace time.Duration
}

func (c relayCase) String() string {
	if c.pace > 0 {
		return fmt.Sprintf("one every %s", c.pace)
	}
	return fmt.Sprintf("%d a write", c.block)
}

// answer returns the answer of each stream.
func (c relayCase) answer(deltas int) script.Answer {
	a := script.Answer{First: relayDelay, Deltas: deltas, Block: c.block, Pace: c.pace}
	if c.pace > 0 {
		a.Deltas = int(pacedTime / c.pace)
	}
	return a
}

// pacedTime is the duration of a stream with a pace.
const pacedTime = 2 * time.Second

// relayResult has the results of the rounds of a case.
type relayResult struct {
	rates  []float64 // deltas a second
	cpu    time.Duration
	deltas int
}

func (r *relayResult) add(other relayResult) {
	r.rates, r.cpu, r.deltas = append(r.rates, other.rates...), r.cpu+other.cpu, r.deltas+other.deltas
}

// perMillion is the CPU time of a million deltas.
func (r *relayResult) perMillion() time.Duration {
	return r.cpu * 1_000_000 / time.Duration(max(r.deltas, 1))
}

// measureRelay compares the rates at which deltas are relayed.
func measureRelay(ctx context.Context, b *bench) (err error) {
	targets, err := b.startTargets(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopAll(targets)) }()
	alone := proxyTarget(b.upstream)
	alone.name = "upstream alone"
	for _, t := range targets {
		// Warm up.
		if _, err := relay(ctx, t, 10, script.Answer{Deltas: b.scale.relayDeltas / 10}); err != nil {
			return err
		}
	}
	results := table{header: []string{
		"streams", "deltas arrive", "target", "deltas a second", "of the proxy's", "CPU s a million", "proxy's share of it",
	}}
	var cases []relayCase
	for _, streams := range b.scale.relayStreams {
		cases = append(cases, relayCase{streams: streams, block: 1})
	}
	cases = append(cases, relayCase{streams: 10, block: 20}, relayCase{streams: 20, pace: 2 * time.Millisecond})
	for _, c := range cases {
		deltas := b.scale.relayDeltas
		if c.pace > 0 {
			deltas = b.scale.pacedDeltas
		}
		relayed := make([]relayResult, len(targets)+1)
		for round := range b.scale.rounds {
			b.progressf("relay: %d streams, %s, round %d of %d", c.streams, c, round+1, b.scale.rounds)
			for n, t := range append(targets, alone) {
				result, err := relay(ctx, t, c.streams, c.answer(min(deltas/c.streams, longestAnswer)))
				if err != nil {
					return err
				}
				relayed[n].add(result)
			}
		}
		b.reportRelay(&results, c, append(targets, alone), relayed)
	}
	b.report.addSection("Deltas relayed",
		fmt.Sprintf("%s deltas a round over all streams (and at most %s in one), %d rounds, as fast as the upstream writes them: "+
			"one delta a write, as upstreams do; for comparison 20 in one write; and %s at a pace that does not use "+
			"all of the machine, where only the CPU time compares.",
			thousands(float64(b.scale.relayDeltas)), thousands(longestAnswer), b.scale.rounds, thousands(float64(b.scale.pacedDeltas))), results)
	return nil
}

// longestAnswer is a number of deltas within the server's limit for a run.
const longestAnswer = 100_000

// relayDelay delays the first delta until all streams are open, so that a round
// measures the relay and not the starting of runs.
const relayDelay = 300 * time.Millisecond

// relay runs one round. It measures the time from the first response to the last
// delta, and the CPU time of the target's process meanwhile.
func relay(ctx context.Context, t *target, streams int, a script.Answer) (relayResult, error) {
	requests, err := t.requests(ctx, streams, a)
	if err != nil {
		return relayResult{}, err
	}
	clients, err := loadclient.DialAll(ctx, t.process.address, streams)
	if err != nil {
		return relayResult{}, err
	}
	defer loadclient.CloseAll(clients)
	buffers := make([]byte, streams*loadclient.BufferSize)
	var started time.Time
	var before time.Duration
	start := sync.OnceValue(func() (err error) {
		started = time.Now()
		before, err = t.process.cpuTime()
		return err
	})
	err = inParallel(streams, func(i int) error {
		body, err := clients[i].Do(requests[i])
		if err == nil {
			err = start()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		events, err := loadclient.CountEvents(body, buffers[i*loadclient.BufferSize:(i+1)*loadclient.BufferSize])
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		return t.checkEvents(events, a.Deltas)
	})
	elapsed := time.Since(started)
	if err != nil {
		return relayResult{}, err
	}
	after, err := t.process.cpuTime()
	deltas := streams * a.Deltas
	return relayResult{rates: []float64{float64(deltas) / elapsed.Seconds()}, cpu: after - before, deltas: deltas}, err
}

func (b *bench) reportRelay(results *table, c relayCase, targets []*target, relayed []relayResult) {
	proxy := len(targets) - 2 // the upstream alone is last
	for n, t := range targets {
		cells := []string{
			strconv.Itoa(c.streams), c.String(), t.name, thousands(median(relayed[n].rates)),
			"", seconds(relayed[n].perMillion()), "",
		}
		if n < proxy {
			rate := ratio(relayed[n].rates, relayed[proxy].rates)
			cells[4] = percent(rate)
			cells[6] = percent(float64(relayed[proxy].cpu) / float64(max(relayed[n].cpu, clockTick)))
			if c.block == 1 {
				b.report.addAim(fmt.Sprintf("deltas relayed of the proxy's rate, %d streams, %s", c.streams, t.short()),
					percent(rate), "60 % or more", rate >= 0.6)
			}
		}
		results.add(cells...)
	}
}

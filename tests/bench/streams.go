package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/bench/database"
	"github.com/chatkit-rest/chatkit-rest/tests/bench/script"
)

const (
	// streamPace is 40 deltas a second, the pace of a fast model.
	streamPace = 25 * time.Millisecond
	// streamSettle is how long the streams run before they are measured.
	streamSettle = 5 * time.Second

	maxCPURatio    = 1.25
	maxMemoryRatio = 1.4
)

// streamCost is what the streams of a round cost the measured process.
type streamCost struct {
	cpu    float64 // milliseconds for 1,000 deltas
	memory float64 // bytes of resident memory a stream
	// delay is how long a delta takes from the upstream to the client.
	delay spread
}

// measureStreams measures CPU and memory under a user's load: many streams,
// each at the pace of a model. Every round starts new processes, since a process
// does not return freed memory to the system at once.
func measureStreams(ctx context.Context, b *bench) error {
	starts := []func(context.Context) (*target, error){
		func(ctx context.Context) (*target, error) { return b.startServerOnNewDatabase(ctx, database.SQLite) },
		func(ctx context.Context) (*target, error) {
			return b.startServerOnNewDatabase(ctx, database.PostgreSQL)
		},
		b.startProxy,
	}
	names, costs := make([]string, len(starts)), make([][]streamCost, len(starts))
	for round := range b.scale.rounds {
		for n, start := range starts {
			t, err := start(ctx)
			if err != nil {
				return err
			}
			names[n] = t.name
			b.progressf("streams: round %d of %d, %s", round+1, b.scale.rounds, t.name)
			cost, err := b.measureStreamCost(ctx, t)
			if err = errors.Join(err, t.process.stop()); err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			costs[n] = append(costs[n], cost)
		}
	}
	b.reportStreams(names, costs)
	return nil
}

func (b *bench) measureStreamCost(ctx context.Context, t *target) (streamCost, error) {
	// A warm-up: memory that a process allocates once does not count.
	if _, err := relay(ctx, t, 10, script.Answer{Deltas: 20}); err != nil {
		return streamCost{}, err
	}
	before, err := t.process.resident()
	if err != nil {
		return streamCost{}, err
	}
	streams, err := startStreams(ctx, t, b.scale.streams, 2, script.Answer{Deltas: 1 << 20, Burst: 1, Pace: streamPace, Stamp: true})
	if err != nil {
		return streamCost{}, err
	}
	defer streams.close()
	time.Sleep(streamSettle)
	startCPU, err := t.process.cpuTime()
	if err != nil {
		return streamCost{}, err
	}
	streams.record()
	with, err := b.meanResident(t, b.scale.streamTime)
	if err != nil {
		return streamCost{}, err
	}
	endCPU, err := t.process.cpuTime()
	if err != nil {
		return streamCost{}, err
	}
	delays := streams.close()
	if len(delays) == 0 {
		return streamCost{}, errors.New("no delta came while the streams were measured")
	}
	return streamCost{
		cpu:    float64(endCPU-startCPU) / float64(time.Millisecond) * 1000 / float64(len(delays)),
		memory: float64(with-before) / float64(b.scale.streams),
		delay:  spreadOf(delays),
	}, nil
}

// reportStreams compares each target with the last one, the proxy.
func (b *bench) reportStreams(names []string, costs [][]streamCost) {
	cpuOf := func(c streamCost) float64 { return c.cpu }
	memoryOf := func(c streamCost) float64 { return c.memory }
	results := table{header: []string{
		"target", "CPU for 1,000 deltas", "of the proxy's", "memory a stream", "of the proxy's", "a delta's delay p50", "p99",
	}}
	proxy := len(costs) - 1
	for n, name := range names {
		var delays []spread
		for _, c := range costs[n] {
			delays = append(delays, c.delay)
		}
		cpu, memory, delay := figures(costs[n], cpuOf), figures(costs[n], memoryOf), medianSpread(delays)
		cpuRatio, memoryRatio := ratio(cpu, figures(costs[proxy], cpuOf)), ratio(memory, figures(costs[proxy], memoryOf))
		results.add(name, fmt.Sprintf("%.1f ms", median(cpu)), times(cpuRatio), kilobytes(int64(median(memory))), times(memoryRatio),
			milliseconds(delay.p50), milliseconds(delay.p99))
		if n == proxy {
			continue
		}
		b.report.addAim("CPU for 1,000 deltas, of the proxy's, "+shortName(name), times(cpuRatio),
			"at most "+times(maxCPURatio), cpuRatio <= maxCPURatio)
		b.report.addAim("memory of a live stream, of the proxy's, "+shortName(name), times(memoryRatio),
			"at most "+times(maxMemoryRatio), memoryRatio <= maxMemoryRatio)
	}
	b.report.addSection("Live streams",
		fmt.Sprintf("%d streams, a delta every %s each, each delta a write of its own, measured for %s a round in new "+
			"processes (%d rounds). The ratios are the medians of the rounds' ratios. Memory is resident memory above that before the "+
			"streams.", b.scale.streams, streamPace, b.scale.streamTime, b.scale.rounds), results)
}

func figures(costs []streamCost, figure func(streamCost) float64) []float64 {
	list := make([]float64, len(costs))
	for n, c := range costs {
		list[n] = figure(c)
	}
	return list
}

func times(ratio float64) string { return fmt.Sprintf("%.2f times", ratio) }

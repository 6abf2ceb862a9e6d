package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// streamPace makes 40 deltas a second, as a fast model does.
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
// each at the pace of a model. Every round starts new processes, since memory
// that a process has once used is not returned at once.
func measureStreams(ctx context.Context, l *lab) error {
	starts := []func(context.Context) (*way, error){
		func(ctx context.Context) (*way, error) { return l.startFresh(ctx, sqlite) },
		func(ctx context.Context) (*way, error) { return l.startFresh(ctx, postgreSQL) },
		l.startProxy,
	}
	names, costs := make([]string, len(starts)), make([][]streamCost, len(starts))
	for round := range l.size.rounds {
		for n, start := range starts {
			w, err := start(ctx)
			if err != nil {
				return err
			}
			names[n] = w.name
			l.progressf("streams: round %d of %d, %s", round+1, l.size.rounds, w.name)
			cost, err := l.costOfStreams(ctx, w)
			if err = errors.Join(err, w.process.stop()); err != nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
			costs[n] = append(costs[n], cost)
		}
	}
	l.reportStreams(names, costs)
	return nil
}

func (l *lab) costOfStreams(ctx context.Context, w *way) (streamCost, error) {
	// The memory that a process needs once is not a stream's.
	if _, err := relay(ctx, w, 10, answer{Deltas: 20}); err != nil {
		return streamCost{}, err
	}
	before, err := w.process.resident()
	if err != nil {
		return streamCost{}, err
	}
	streams, err := startLive(ctx, w, l.size.streams, 2, answer{Deltas: 1 << 20, Burst: 1, Pace: streamPace, Stamp: true})
	if err != nil {
		return streamCost{}, err
	}
	defer streams.close()
	time.Sleep(streamSettle)
	startCPU, err := w.process.cpuTime()
	if err != nil {
		return streamCost{}, err
	}
	streams.record()
	with, err := l.meanResident(w, l.size.streamTime)
	if err != nil {
		return streamCost{}, err
	}
	endCPU, err := w.process.cpuTime()
	if err != nil {
		return streamCost{}, err
	}
	delays := streams.close()
	if len(delays) == 0 {
		return streamCost{}, errors.New("no delta came while the streams were measured")
	}
	return streamCost{
		cpu:    float64(endCPU-startCPU) / float64(time.Millisecond) * 1000 / float64(len(delays)),
		memory: float64(with-before) / float64(l.size.streams),
		delay:  spreadOf(delays),
	}, nil
}

// reportStreams compares each way with the last one, the proxy.
func (l *lab) reportStreams(names []string, costs [][]streamCost) {
	cpuOf := func(c streamCost) float64 { return c.cpu }
	memoryOf := func(c streamCost) float64 { return c.memory }
	t := table{head: []string{
		"way", "CPU for 1,000 deltas", "of the proxy's", "memory a stream", "of the proxy's", "a delta's delay p50", "p99",
	}}
	proxy := len(costs) - 1
	for n, name := range names {
		var delays []spread
		for _, c := range costs[n] {
			delays = append(delays, c.delay)
		}
		cpu, memory, delay := pick(costs[n], cpuOf), pick(costs[n], memoryOf), medianSpread(delays)
		cpuRatio, memoryRatio := ratio(cpu, pick(costs[proxy], cpuOf)), ratio(memory, pick(costs[proxy], memoryOf))
		t.add(name, fmt.Sprintf("%.1f ms", median(cpu)), times(cpuRatio), kilobytes(int64(median(memory))), times(memoryRatio),
			milliseconds(delay.p50), milliseconds(delay.p99))
		if n == proxy {
			continue
		}
		l.report.aim("CPU for 1,000 deltas, of the proxy's, "+shortName(name), times(cpuRatio),
			"at most "+times(maxCPURatio), cpuRatio <= maxCPURatio)
		l.report.aim("memory of a live stream, of the proxy's, "+shortName(name), times(memoryRatio),
			"at most "+times(maxMemoryRatio), memoryRatio <= maxMemoryRatio)
	}
	l.report.part("Live streams",
		fmt.Sprintf("%d streams, a delta every %s each, each delta its own write of the upstream, measured for %s a round in new "+
			"processes (%d rounds). The ratios are the medians of the rounds' ratios. Memory is resident memory above that before the "+
			"streams.", l.size.streams, streamPace, l.size.streamTime, l.size.rounds), t)
}

func pick(costs []streamCost, figure func(streamCost) float64) []float64 {
	list := make([]float64, len(costs))
	for n, c := range costs {
		list[n] = figure(c)
	}
	return list
}

func times(ratio float64) string { return fmt.Sprintf("%.2f times", ratio) }

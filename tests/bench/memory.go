package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	memoryBurst = 5
	// memoryPace is slow: the streams wait for more, as most do most of the time.
	memoryPace = 2 * time.Second
)

// measureMemory holds many streams open at once.
func measureMemory(ctx context.Context, l *lab) (err error) {
	ways, err := l.startWays(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopAll(ways)) }()
	t := table{head: []string{"way", "streams", "resident before", "resident with them", "a stream", "peak, a stream"}}
	for _, w := range ways {
		l.sayf("memory: %s", w.name)
		before, with, peak, err := l.holdStreams(ctx, w)
		if err != nil {
			return err
		}
		n := int64(l.size.memoryStreams)
		each := (with - before) / n
		t.add(w.name, thousands(float64(n)), kilobytes(before), kilobytes(with), kilobytes(each), kilobytes((peak-before)/n))
		if w != ways[len(ways)-1] {
			l.report.aim("memory of a live stream, "+w.short(),
				kilobytes(each), "< 100 kB", each < 100_000)
		}
	}
	l.report.part("Memory of live streams",
		fmt.Sprintf("Each has had %d deltas and gets one more every %s. Resident memory of the process, the mean of %s; "+
			"the peak is from the opening of the streams, %d at a time.", memoryBurst, memoryPace, l.size.memorySettle, openers), t)
	return nil
}

// holdStreams returns the resident memory without and with streams, in bytes.
func (l *lab) holdStreams(ctx context.Context, w *way) (before, with, peak int64, err error) {
	// What a process needs once is not a stream's.
	if _, err := relay(ctx, w, 10, answer{Deltas: 20}); err != nil {
		return 0, 0, 0, err
	}
	if before, _, err = w.process.resident(); err != nil {
		return 0, 0, 0, err
	}
	streams, err := startLive(ctx, w, l.size.memoryStreams, memoryBurst, answer{
		Deltas: 1 << 20, Burst: memoryBurst, Pace: memoryPace, Stamp: true,
	})
	if err != nil {
		return 0, 0, 0, err
	}
	defer streams.close()
	const looks = 10
	pace := time.NewTicker(l.size.memorySettle / looks)
	defer pace.Stop()
	for range looks {
		<-pace.C
		now, most, err := w.process.resident()
		if err != nil {
			return 0, 0, 0, err
		}
		with, peak = with+now/looks, most
	}
	return before, with, peak, nil
}

func kilobytes(n int64) string { return thousands(float64(n)/1000) + " kB" }

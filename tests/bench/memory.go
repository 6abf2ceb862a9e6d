package main

import (
	"context"
	"time"
)

const (
	memoryBurst = 5
	// memoryPace is slow: the streams wait most of the time.
	memoryPace = 2 * time.Second
)

// holdStreams returns the resident memory without and with n waiting streams,
// in bytes.
func (l *lab) holdStreams(ctx context.Context, w *way, n int) (before, with int64, err error) {
	// The memory that a process needs once is not a stream's.
	if _, err := relay(ctx, w, 10, answer{Deltas: 20}); err != nil {
		return 0, 0, err
	}
	if before, err = w.process.resident(); err != nil {
		return 0, 0, err
	}
	streams, err := startLive(ctx, w, n, memoryBurst, answer{
		Deltas: 1 << 20, Burst: memoryBurst, Pace: memoryPace, Stamp: true,
	})
	if err != nil {
		return 0, 0, err
	}
	defer streams.close()
	with, err = l.meanResident(w, l.size.memorySettle)
	return before, with, err
}

// meanResident returns the mean of the resident memory of the way's process
// over a time, in bytes.
func (l *lab) meanResident(w *way, over time.Duration) (int64, error) {
	const samples = 10
	var sum int64
	pace := time.NewTicker(over / samples)
	defer pace.Stop()
	for range samples {
		<-pace.C
		now, err := w.process.resident()
		if err != nil {
			return 0, err
		}
		sum += now
	}
	return sum / samples, nil
}

func kilobytes(n int64) string { return thousands(float64(n)/1000) + " kB" }

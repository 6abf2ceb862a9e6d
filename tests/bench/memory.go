package main

import (
	"context"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/bench/script"
)

const (
	memoryBurst = 5
	// memoryPace is slow, so that the streams are idle most of the time.
	memoryPace = 2 * time.Second
)

// memoryOfStreams returns the resident memory of the target's process before and
// with n open streams, in bytes.
func (b *bench) memoryOfStreams(ctx context.Context, t *target, n int) (before, with int64, err error) {
	// A warm-up: memory that a process allocates once does not count.
	if _, err := relay(ctx, t, 10, script.Answer{Deltas: 20}); err != nil {
		return 0, 0, err
	}
	if before, err = t.process.resident(); err != nil {
		return 0, 0, err
	}
	streams, err := startStreams(ctx, t, n, memoryBurst, script.Answer{
		Deltas: 1 << 20, Burst: memoryBurst, Pace: memoryPace, Stamp: true,
	})
	if err != nil {
		return 0, 0, err
	}
	defer streams.close()
	with, err = b.meanResident(t, b.scale.memorySettle)
	return before, with, err
}

// meanResident returns the mean of the resident memory of the target's process
// over a duration, in bytes.
func (b *bench) meanResident(t *target, over time.Duration) (int64, error) {
	const samples = 10
	var sum int64
	pace := time.NewTicker(over / samples)
	defer pace.Stop()
	for range samples {
		<-pace.C
		now, err := t.process.resident()
		if err != nil {
			return 0, err
		}
		sum += now
	}
	return sum / samples, nil
}

func kilobytes(n int64) string { return thousands(float64(n)/1000) + " kB" }

package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// Go's collector lets as much garbage lie about as there is live memory. Of a
// server with few streams that is a few megabytes, which would be collected many
// times a second, at a tenth of what requests cost. With many streams, which
// hold memory and allocate little, it is far more than it takes.
const (
	usualGC = 100 // Go's own GOGC
	keenGC  = 40
	// manyStreams make the collector keen.
	manyStreams = 200
	// garbage may lie about whatever is live, in bytes.
	garbage = 32 << 20
	// memoryGlance bounds for how long a heap that grows fast is collected by
	// what it was.
	memoryGlance = 100 * time.Millisecond
)

// tendMemory sets the collector by what is live until ctx ends.
func tendMemory(ctx context.Context, streams func() int) {
	glance := time.NewTicker(memoryGlance)
	defer glance.Stop()
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	for now := 0; ; {
		metrics.Read(live)
		// Setting it stops the world for a moment.
		if want := gcPercent(live[0].Value.Uint64(), streams()); want*10 < now*9 || want*9 > now*10 {
			debug.SetGCPercent(want)
			now = want
		}
		select {
		case <-ctx.Done():
			return
		case <-glance.C:
		}
	}
}

// gcPercent is GOGC for a heap that has so many bytes live.
func gcPercent(live uint64, streams int) int {
	// Go says 0 before it has collected.
	const least = 1 << 20
	floor := int(garbage * 100 / max(live, least)) //nolint:gosec // 3200 at most
	if streams >= manyStreams {
		return max(keenGC, floor)
	}
	return usualGC + floor
}

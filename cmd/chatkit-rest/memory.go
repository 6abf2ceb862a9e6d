package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"time"
)

// Live streams hold memory and allocate little, so with many of them a keener
// collector costs next to nothing and saves a tenth; with few, requests would
// pay for it.
const (
	usualGC = 100 // Go's own GOGC
	keenGC  = 40
	// manyStreams make the collector keen, fewStreams usual again.
	manyStreams, fewStreams = 200, 100
	memoryGlance            = time.Second
)

// ballast is never written to, so it takes no memory of the machine; but the
// collector counts it as live, and so lets the heap grow by as much again
// before it collects. Without it a server with few streams, whose heap is a few
// megabytes, collects many times a second, at a tenth of what requests cost.
const ballast = 32 << 20 // bytes

// tendMemory sets the collector by the number of live runs until ctx ends.
func tendMemory(ctx context.Context, live func() int) {
	held := make([]byte, ballast)
	defer runtime.KeepAlive(held)
	glance := time.NewTicker(memoryGlance)
	defer glance.Stop()
	for keen := false; ; {
		select {
		case <-ctx.Done():
			return
		case <-glance.C:
		}
		switch now := live(); {
		case now >= manyStreams && !keen:
			keen = true
			debug.SetGCPercent(keenGC)
		case now < fewStreams && keen:
			keen = false
			debug.SetGCPercent(usualGC)
		}
	}
}

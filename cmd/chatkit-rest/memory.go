package main

import (
	"context"
	"runtime/debug"
	"time"
)

// Live streams hold memory and allocate little, so with many of them a keener
// collector costs next to nothing and saves a tenth; with few, requests would
// pay for it.
const (
	usualGC      = 100 // Go's own GOGC
	keenGC       = 50
	manyStreams  = 200
	memoryGlance = time.Second
)

// tendMemory sets the collector by the number of live runs until ctx ends.
func tendMemory(ctx context.Context, live func() int) {
	glance := time.NewTicker(memoryGlance)
	defer glance.Stop()
	for now := usualGC; ; {
		select {
		case <-ctx.Done():
			return
		case <-glance.C:
		}
		want := usualGC
		if live() >= manyStreams {
			want = keenGC
		}
		if want != now {
			debug.SetGCPercent(want)
			now = want
		}
	}
}

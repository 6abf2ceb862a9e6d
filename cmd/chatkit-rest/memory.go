package main

import (
	"context"
	"runtime/debug"
	"time"
)

// With few streams the heap is a few megabytes, and Go's own GOGC of 100 would
// collect it many times a second, at a tenth of what requests cost; to let it
// grow costs some tens of megabytes. Many streams hold memory and allocate
// little, so with them a keen collector costs next to nothing and saves a
// tenth.
const (
	usualGC      = 400
	keenGC       = 50
	manyStreams  = 200
	memoryGlance = time.Second
)

// tendMemory sets the collector by the number of live runs until ctx ends.
func tendMemory(ctx context.Context, live func() int) {
	glance := time.NewTicker(memoryGlance)
	defer glance.Stop()
	debug.SetGCPercent(usualGC)
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

package main

import (
	"context"
	"runtime/debug"
	"time"
)

const (
	// manyStreams is the number of live streams from which memory is returned.
	manyStreams = 200
	// returnInterval is how often.
	returnInterval = 2 * time.Second
)

// returnMemory collects garbage and returns it to the system at intervals while
// there are many live streams, until ctx ends. The start of a stream allocates
// more than the stream holds, and enlarges stacks that only a collection shrinks.
// Streams then allocate so little that Go itself collects rarely.
func returnMemory(ctx context.Context, streams func() int) {
	interval := time.NewTicker(returnInterval)
	defer interval.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-interval.C:
		}
		if streams() >= manyStreams {
			debug.FreeOSMemory()
		}
	}
}

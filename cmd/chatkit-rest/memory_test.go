package main

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

func TestMemoryIsReturnedWhileThereAreManyStreams(t *testing.T) {
	for _, c := range []struct {
		streams int
		collect bool
	}{{manyStreams, true}, {manyStreams - 1, false}} {
		if got := forcedCollections(t, c.streams) > 0; got != c.collect {
			t.Errorf("with %d streams: collected %v, want %v", c.streams, got, c.collect)
		}
	}
}

// forcedCollections counts the collections that returnMemory forces in an
// interval.
func forcedCollections(t *testing.T, streams int) uint32 {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), returnInterval+time.Millisecond)
		defer cancel()
		returnMemory(ctx, func() int { return streams })
	})
	runtime.ReadMemStats(&after)
	return after.NumForcedGC - before.NumForcedGC
}

package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"testing"
	"time"
)

func TestGCPercent(t *testing.T) {
	for _, c := range []struct {
		live    uint64
		streams int
		want    int
	}{
		{0, 0, 3300},
		{8 << 20, 0, 500},
		{32 << 20, 199, 200},
		{1 << 30, 199, 103},
		{8 << 20, 200, 400},
		{80 << 20, 2000, 40},
		{1 << 30, 20000, 40},
	} {
		if got := gcPercent(c.live, c.streams); got != c.want {
			t.Errorf("GOGC for %d live bytes and %d streams: got %d, want %d", c.live, c.streams, got, c.want)
		}
	}
}

func TestTendMemory(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(usualGC))
	var streams atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan struct{})
	go func() {
		defer close(left)
		tendMemory(ctx, func() int { return int(streams.Load()) })
	}()
	defer func() { cancel(); <-left }()

	held := make([]byte, 200<<20)
	runtime.GC()
	awaitGCPercent(t, func(now uint64) bool { return now > usualGC && now <= usualGC+garbage*100/(200<<20) })
	streams.Store(manyStreams)
	awaitGCPercent(t, func(now uint64) bool { return now == keenGC })
	runtime.KeepAlive(held)
	runtime.GC()
	awaitGCPercent(t, func(now uint64) bool { return now > 2*usualGC })
}

// awaitGCPercent waits until GOGC is so.
func awaitGCPercent(t *testing.T, so func(uint64) bool) {
	t.Helper()
	now := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		metrics.Read(now)
		if so(now[0].Value.Uint64()) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("GOGC is %d", now[0].Value.Uint64())
		}
	}
}

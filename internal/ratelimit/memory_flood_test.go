package ratelimit_test

import (
	"encoding/binary"
	"net/netip"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/ratelimit"
)

const (
	million = 1_000_000
	// What the documentation of Memory says, with a little room.
	floodBytes = 96 << 20
)

// floodAddr spreads addresses over all networks: even numbers IPv4, odd ones
// IPv6. The multiplier is odd, so no two numbers give the same address.
func floodAddr(i uint32) netip.Addr {
	spread := i * 2654435761
	if i%2 == 0 {
		return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, spread)))
	}

	b := [16]byte{}
	binary.BigEndian.PutUint32(b[:], spread)
	b[15] = 1

	return netip.AddrFrom16(b)
}

func heap() int64 {
	runtime.GC()
	runtime.GC()

	var stats runtime.MemStats

	runtime.ReadMemStats(&stats)

	return int64(stats.HeapAlloc) //nolint:gosec // far under 2^63
}

func flood(tb testing.TB, m *ratelimit.Memory) {
	tb.Helper()

	for i := range uint32(million) {
		if _, err := m.Allow(tb.Context(), floodAddr(i)); err != nil {
			tb.Fatalf("Allow: %v", err)
		}
	}
}

// Not parallel: it measures the heap of the process.
func TestAMillionAddressesStayInBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, ratelimit.MemoryOptions{PerMinute: perMinute})
		before := heap()

		flood(t, m)

		full := heap() - before
		if full > floodBytes {
			t.Errorf("a million addresses took %d bytes, want at most %d", full, floodBytes)
		}

		// The goroutine clears what is over, with no request coming.
		time.Sleep(2 * ratelimit.Window)
		synctest.Wait()

		left := heap() - before
		if left > full/2 {
			t.Errorf("%d of %d bytes are still held when all windows are over", left, full)
		}

		t.Logf("a million addresses: %.1f MB live, %.1f MB after the sweep", float64(full)/1e6, float64(left)/1e6)
		runtime.KeepAlive(m)
	})
}

func BenchmarkMemoryMillionAddresses(b *testing.B) {
	for b.Loop() {
		before := heap()
		m := newMemory(b, ratelimit.MemoryOptions{PerMinute: perMinute})

		flood(b, m)
		b.ReportMetric(float64(heap()-before), "heap-bytes")
		runtime.KeepAlive(m)
	}
}

func BenchmarkMemoryAllow(b *testing.B) {
	m := newMemory(b, ratelimit.MemoryOptions{PerMinute: perMinute})
	addr := netip.MustParseAddr("192.0.2.1")

	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := m.Allow(b.Context(), addr); err != nil {
				b.Errorf("Allow: %v", err)
			}
		}
	})
}

package ratelimit_test

import (
	"fmt"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/ratelimit"
)

const perMinute = 30

func newMemory(tb testing.TB, opts ratelimit.MemoryOptions) *ratelimit.Memory {
	tb.Helper()

	m, err := ratelimit.NewMemory(opts)
	if err != nil {
		tb.Fatalf("NewMemory(%+v): %v", opts, err)
	}

	tb.Cleanup(func() {
		if err := m.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})

	return m
}

func allow(tb testing.TB, l ratelimit.Limiter, addr string) ratelimit.Decision {
	tb.Helper()

	d, err := l.Allow(tb.Context(), netip.MustParseAddr(addr))
	if err != nil {
		tb.Fatalf("Allow(%s): %v", addr, err)
	}

	return d
}

func TestThirtyFirstIsRefusedAtAnyPace(t *testing.T) {
	t.Parallel()

	for _, pace := range []time.Duration{0, 500 * time.Millisecond, 1900 * time.Millisecond} {
		t.Run(pace.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(t, ratelimit.MemoryOptions{PerMinute: perMinute})
				// The address was here before, so this is no first window.
				allow(t, m, "192.0.2.1")
				time.Sleep(90 * time.Second)

				first := time.Now()
				for i := range perMinute {
					if i > 0 {
						time.Sleep(pace)
					}

					d := allow(t, m, "192.0.2.1")
					want := ratelimit.Decision{
						Allowed: true, Limit: perMinute, Remaining: perMinute - 1 - i,
						Reset: ratelimit.Window - time.Since(first),
					}
					if d != want {
						t.Fatalf("request %d: got %+v, want %+v", i+1, d, want)
					}
				}

				// Refused until the last nanosecond, and refusals extend nothing.
				for _, at := range []time.Duration{58 * time.Second, 59 * time.Second, time.Minute - time.Nanosecond} {
					time.Sleep(time.Until(first.Add(at)))

					want := ratelimit.Decision{Limit: perMinute, Reset: ratelimit.Window - at}
					if d := allow(t, m, "192.0.2.1"); d != want {
						t.Fatalf("at %s: got %+v, want %+v", at, d, want)
					}
				}

				time.Sleep(time.Nanosecond)

				want := ratelimit.Decision{Allowed: true, Limit: perMinute, Remaining: perMinute - 1, Reset: ratelimit.Window}
				if d := allow(t, m, "192.0.2.1"); d != want {
					t.Fatalf("at 60 s: got %+v, want %+v", d, want)
				}
			})
		})
	}
}

func TestLimitsAreExact(t *testing.T) {
	t.Parallel()

	for _, limit := range []int{1, 2, 7, 9223, 9224, 20_000} {
		t.Run(strconv.Itoa(limit), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(t, ratelimit.MemoryOptions{PerMinute: limit})
				for i := range limit {
					d := allow(t, m, "192.0.2.1")
					if !d.Allowed || d.Remaining != limit-1-i {
						t.Fatalf("request %d: got %+v", i+1, d)
					}
				}

				time.Sleep(time.Minute - time.Nanosecond)

				if d := allow(t, m, "192.0.2.1"); d.Allowed {
					t.Fatalf("request %d passed: %+v", limit+1, d)
				}
			})
		})
	}
}

// A bucket must begin full and give nothing back within its window.
func TestTheHighestLimitIsExact(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, ratelimit.MemoryOptions{PerMinute: ratelimit.MaxPerMinute})
		for i := range 1000 {
			if d := allow(t, m, "192.0.2.1"); d.Remaining != ratelimit.MaxPerMinute-1-i {
				t.Fatalf("request %d: got %+v", i+1, d)
			}

			time.Sleep(50 * time.Millisecond)
		}
	})
}

func TestConcurrentRequestsGiveExactlyTheLimit(t *testing.T) {
	t.Parallel()

	m := newMemory(t, ratelimit.MemoryOptions{PerMinute: perMinute})
	start := make(chan struct{})

	var (
		passed atomic.Int64
		wg     sync.WaitGroup
	)

	for range 1000 {
		wg.Go(func() {
			<-start

			if allow(t, m, "192.0.2.1").Allowed {
				passed.Add(1)
			}
		})
	}

	close(start)
	wg.Wait()

	if passed.Load() != perMinute {
		t.Fatalf("%d of 1000 requests passed, want %d", passed.Load(), perMinute)
	}
}

// The requests of each round meet the very instant at which a window ends.
func TestConcurrentRequestsAtTheEndOfAWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, ratelimit.MemoryOptions{PerMinute: perMinute})
		for round := range 20 {
			var (
				passed atomic.Int64
				wg     sync.WaitGroup
			)

			for range 200 {
				wg.Go(func() {
					if allow(t, m, "192.0.2.1").Allowed {
						passed.Add(1)
					}
				})
			}

			wg.Wait()

			if passed.Load() != perMinute {
				t.Fatalf("round %d: %d requests passed, want %d", round, passed.Load(), perMinute)
			}

			time.Sleep(ratelimit.Window)
		}
	})
}

func TestWhoSharesAWindow(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		one, other string
		shared     bool
	}{
		"IPv4 neighbours":              {"192.0.2.1", "192.0.2.2", false},
		"IPv4 and its mapped form":     {"192.0.2.1", "::ffff:192.0.2.1", true},
		"mapped neighbours":            {"::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
		"the same IPv6 /64":            {"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true},
		"neighbouring IPv6 /64s":       {"2001:db8:1:2::1", "2001:db8:1:3::1", false},
		"zones of a link-local prefix": {"fe80::1%eth0", "fe80::2%eth1", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			m := newMemory(t, ratelimit.MemoryOptions{PerMinute: 1})
			allow(t, m, tt.one)

			if got := !allow(t, m, tt.other).Allowed; got != tt.shared {
				t.Fatalf("%s and %s share a window: %v, want %v", tt.one, tt.other, got, tt.shared)
			}
		})
	}
}

func TestInvalidAddressesAreLimitedAsOne(t *testing.T) {
	t.Parallel()

	m := newMemory(t, ratelimit.MemoryOptions{PerMinute: 1})
	for i, want := range []bool{true, false} {
		d, err := m.Allow(t.Context(), netip.Addr{})
		if err != nil || d.Allowed != want {
			t.Fatalf("request %d: got %+v, %v, want allowed %v", i+1, d, err, want)
		}
	}
}

func TestAddressFlood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const limit = 3

		m := newMemory(t, ratelimit.MemoryOptions{PerMinute: limit, MaxAddresses: 2})
		allow(t, m, "192.0.2.1")
		allow(t, m, "198.51.100.1")
		time.Sleep(30 * time.Second)

		// The places are taken: newcomers share by /16.
		passed := 0
		for i := range 200 {
			if allow(t, m, fmt.Sprintf("203.0.113.%d", i)).Allowed {
				passed++
			}
		}

		if passed != limit {
			t.Fatalf("%d requests of the flooding /16 passed, want %d", passed, limit)
		}

		if d := allow(t, m, "192.0.2.1"); !d.Allowed || d.Remaining != limit-2 {
			t.Fatalf("an address with its own window was touched by the flood: %+v", d)
		}

		if d := allow(t, m, "10.1.2.3"); !d.Allowed || d.Remaining != limit-1 {
			t.Fatalf("a newcomer of another /16 was touched by the flood: %+v", d)
		}

		if d := allow(t, m, "2001:db8::1"); !d.Allowed || d.Remaining != limit-1 {
			t.Fatalf("an IPv6 newcomer was touched by the flood: %+v", d)
		}

		if d := allow(t, m, "2001:db8:ffff::1"); d.Remaining != limit-2 {
			t.Fatalf("two newcomers of an IPv6 /32 do not share: %+v", d)
		}

		// A place comes free, but the shared window is not over: no second helping.
		time.Sleep(30 * time.Second)

		if d := allow(t, m, "203.0.113.7"); d.Allowed {
			t.Fatalf("a shared window was left before its end: %+v", d)
		}

		time.Sleep(30 * time.Second)

		for i := range 2 {
			if d := allow(t, m, fmt.Sprintf("203.0.113.%d", i)); d.Remaining != limit-1 {
				t.Fatalf("address %d has no window of its own after the flood: %+v", i, d)
			}
		}
	})
}

func TestNewMemoryRefusesBadOptions(t *testing.T) {
	t.Parallel()

	for _, opts := range []ratelimit.MemoryOptions{
		{},
		{PerMinute: -1},
		{PerMinute: ratelimit.MaxPerMinute + 1},
		{PerMinute: 1, MaxAddresses: -1},
	} {
		if m, err := ratelimit.NewMemory(opts); err == nil {
			_ = m.Close()
			t.Errorf("NewMemory(%+v) gave no error", opts)
		}
	}
}

func TestCloseTwice(t *testing.T) {
	t.Parallel()

	m := newMemory(t, ratelimit.MemoryOptions{PerMinute: 1})
	for range 2 {
		if err := m.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
	}

	if !allow(t, m, "192.0.2.1").Allowed {
		t.Fatal("a closed limiter refused a first request")
	}
}

func TestResetSecondsRoundsUp(t *testing.T) {
	t.Parallel()

	for reset, want := range map[time.Duration]int{
		time.Nanosecond:               1,
		time.Second:                   1,
		time.Second + time.Nanosecond: 2,
		time.Minute - time.Nanosecond: 60,
		time.Minute:                   60,
	} {
		if got := (ratelimit.Decision{Reset: reset}).ResetSeconds(); got != want {
			t.Errorf("Reset %s: got %d s, want %d", reset, got, want)
		}
	}
}

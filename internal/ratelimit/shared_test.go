package ratelimit_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/ratelimit"
	"github.com/chatkit-rest/chatkit-rest/tests/redis"
)

// patience is how long what comes by itself may take on a busy machine.
const patience = 20 * time.Second

// lines is a log that many may write and one may read.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	return l.text.Write(p)
}

func (l *lines) count(part string) int {
	l.mu.Lock()
	defer l.mu.Unlock()

	return strings.Count(l.text.String(), part)
}

const (
	failsLine = "Redis (REDIS_URL) fails"
	backLine  = "Redis (REDIS_URL) is back"
)

func newShared(tb testing.TB, url string) (*ratelimit.Shared, *lines) {
	tb.Helper()

	log := new(lines)

	s, err := ratelimit.NewShared(tb.Context(), ratelimit.SharedOptions{
		URL: url, PerMinute: perMinute, Logger: slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil {
		tb.Fatalf("NewShared: %v", err)
	}

	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})

	return s, log
}

// await waits until something is so.
func await(tb testing.TB, what string, so func() bool) {
	tb.Helper()

	deadline := time.Now().Add(patience)
	for !so() {
		if time.Now().After(deadline) {
			tb.Fatalf("after %s it is not so that %s", patience, what)
		}

		time.Sleep(5 * time.Millisecond)
	}
}

// wantShared fails the test if Redis was too slow for this machine's load, for
// then nothing is said of what Redis counts.
func wantShared(tb testing.TB, s *ratelimit.Shared) {
	tb.Helper()

	if s.Degraded() || s.Fallbacks() > 0 {
		tb.Fatalf("%d requests were counted in memory", s.Fallbacks())
	}
}

// The try is repeated, with another address, until Redis was used from its
// beginning to its end: a machine that is busy enough sees answers too late.
func TestSharedIsExactOverReplicas(t *testing.T) {
	t.Parallel()

	url := os.Getenv("TEST_REDIS_URL") // one of another version, say
	if url == "" {
		url = redis.Start(t, redis.Options{}).URL
	}

	one, _ := newShared(t, url)
	two, _ := newShared(t, url)

	for try := range 20 {
		await(t, "Redis is used", func() bool { return !one.Degraded() && !two.Degraded() })

		before := one.Fallbacks() + two.Fallbacks()
		passed := passOf100(t, []*ratelimit.Shared{one, two}, fmt.Sprintf("192.0.2.%d", try))

		if one.Fallbacks()+two.Fallbacks() > before {
			continue
		}

		if passed != perMinute {
			t.Errorf("%d of 100 passed, want %d", passed, perMinute)
		}

		return
	}

	t.Fatal("Redis was never used from beginning to end")
}

// passOf100 sends a hundred requests at once and tells how many passed.
func passOf100(t *testing.T, limiters []*ratelimit.Shared, addr string) int64 {
	t.Helper()

	var (
		passed atomic.Int64
		all    sync.WaitGroup
		start  = make(chan struct{})
	)

	for n := range 100 {
		all.Go(func() {
			<-start

			if allow(t, limiters[n%len(limiters)], addr).Allowed {
				passed.Add(1)
			}
		})
	}

	close(start)
	all.Wait()

	return passed.Load()
}

func TestSharedWindow(t *testing.T) {
	t.Parallel()

	server := redis.Start(t, redis.Options{})
	s, _ := newShared(t, server.URL)

	before := ratelimit.Window
	for n := range perMinute + 5 {
		d := allow(t, s, "2001:db8::1")
		if d.Allowed != (n < perMinute) || d.Limit != perMinute || d.Remaining != max(0, perMinute-1-n) {
			t.Fatalf("request %d: got %+v", n+1, d)
		}

		if d.Reset > before || d.Reset <= 0 {
			t.Fatalf("request %d: the window ends in %s, before it was %s", n+1, d.Reset, before)
		}

		before = d.Reset
	}

	if d := allow(t, s, "2001:db8::ffff"); d.Allowed {
		t.Errorf("another address of the same /64 got %+v", d)
	}

	wantShared(t, s)
}

func TestSharedKeys(t *testing.T) {
	t.Parallel()

	server := redis.Start(t, redis.Options{})
	s, _ := newShared(t, server.URL)

	for range perMinute + 1 {
		allow(t, s, "2001:db8::1")
	}

	keys := server.Addresses(t)
	if len(keys) != 1 || !strings.HasPrefix(keys[0], "chatkit-rest:ratelimit:") || strings.Contains(keys[0], "2001") {
		t.Fatalf("the keys are %q", keys)
	}

	client := server.Client(t)

	left, err := client.PTTL(t.Context(), keys[0]).Result()
	if err != nil || left <= 0 || left > ratelimit.Window {
		t.Errorf("the key ends in %s, %v", left, err)
	}

	// The window ends with its key.
	if err := client.PExpire(t.Context(), keys[0], time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}

	await(t, "the address may send again", func() bool { return allow(t, s, "2001:db8::1").Allowed })

	// A key without an expiry is given one.
	if err := client.Persist(t.Context(), keys[0]).Err(); err != nil {
		t.Fatal(err)
	}

	if d := allow(t, s, "2001:db8::1"); d.Reset != ratelimit.Window {
		t.Errorf("after its end was taken away the window ends in %s", d.Reset)
	}

	wantShared(t, s)
}

func TestSharedFallsBackAndReturns(t *testing.T) {
	t.Parallel()

	troubles := map[string]struct{ begin, end func(*redis.Server) }{
		"killed": {(*redis.Server).Kill, (*redis.Server).Restart},
		"frozen": {(*redis.Server).Freeze, (*redis.Server).Thaw},
		"takes no writes": {
			func(s *redis.Server) { command(t, s, "CONFIG", "SET", "min-replicas-to-write", "1") },
			func(s *redis.Server) { command(t, s, "CONFIG", "SET", "min-replicas-to-write", "0") },
		},
	}
	for name, trouble := range troubles {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			server := redis.Start(t, redis.Options{})
			one, log := newShared(t, server.URL)
			two, _ := newShared(t, server.URL)

			for range 10 {
				allow(t, one, "192.0.2.1")
			}

			trouble.begin(server)

			// Each replica counts for itself, exactly.
			for _, s := range []*ratelimit.Shared{one, two} {
				for n := range perMinute + 1 {
					if d := allow(t, s, "192.0.2.1"); d.Allowed != (n < perMinute) {
						t.Fatalf("request %d in memory: got %+v", n+1, d)
					}
				}

				if !s.Degraded() || s.Fallbacks() != perMinute+1 {
					t.Errorf("degraded is %t, fallbacks are %d", s.Degraded(), s.Fallbacks())
				}
			}

			trouble.end(server)
			await(t, "both use Redis again", func() bool { return !one.Degraded() && !two.Degraded() })

			first := allow(t, one, "192.0.2.1")
			if second := allow(t, two, "192.0.2.1"); !second.Allowed || second.Remaining != first.Remaining-1 {
				t.Errorf("after the return the replicas said %+v and %+v", first, second)
			}

			// One line for each change; a busy machine may add an outage.
			if fails, backs := log.count(failsLine), log.count(backLine); fails != backs || fails < 1 || fails > 3 {
				t.Errorf("the log tells %d failures and %d returns", fails, backs)
			}
		})
	}
}

func command(t *testing.T, s *redis.Server, words ...any) {
	t.Helper()

	if err := s.Client(t).Do(t.Context(), words...).Err(); err != nil {
		t.Fatalf("%v: %v", words, err)
	}
}

// A Redis that answers and takes no writes is not taken for well.
func TestSharedProbesByWriting(t *testing.T) {
	t.Parallel()

	server := redis.Start(t, redis.Options{})
	s, log := newShared(t, server.URL)
	command(t, server, "CONFIG", "SET", "min-replicas-to-write", "1")
	allow(t, s, "192.0.2.1")

	before := scriptCalls(t, server)
	await(t, "Redis was probed twice", func() bool { return scriptCalls(t, server) >= before+2 })

	if !s.Degraded() || log.count(backLine) > 0 {
		t.Errorf("degraded is %t, the log tells %d returns", s.Degraded(), log.count(backLine))
	}
}

// scriptCalls is how often Redis was asked to run a script.
func scriptCalls(t *testing.T, s *redis.Server) int {
	t.Helper()

	info, err := s.Client(t).Info(t.Context(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}

	parts := regexp.MustCompile(`cmdstat_evalsha:calls=(\d+),\S*rejected_calls=(\d+)`).FindStringSubmatch(info)
	if parts == nil {
		return 0
	}

	calls, _ := strconv.Atoi(parts[1])
	rejected, _ := strconv.Atoi(parts[2])

	return calls + rejected
}

// A hundred at once that meet a silent Redis all wait together, once.
func TestSharedFailuresAtOnceAreOneOutage(t *testing.T) {
	t.Parallel()

	server := redis.Start(t, redis.Options{})
	s, log := newShared(t, server.URL)
	server.Freeze()

	var (
		passed atomic.Int64
		all    sync.WaitGroup
	)

	for range 100 {
		all.Go(func() {
			if allow(t, s, "192.0.2.1").Allowed {
				passed.Add(1)
			}
		})
	}

	all.Wait()

	if passed.Load() != perMinute || log.count(failsLine) != 1 {
		t.Errorf("%d passed and %d failures were told, want %d and 1", passed.Load(), log.count(failsLine), perMinute)
	}

	server.Thaw()
	await(t, "Redis is used again", func() bool { return !s.Degraded() })
}

func TestSharedStartsWithoutRedis(t *testing.T) {
	t.Parallel()

	server := redis.Start(t, redis.Options{})
	server.Kill()

	s, log := newShared(t, server.URL)
	if !s.Degraded() || log.count(failsLine) != 1 {
		t.Errorf("degraded is %t", s.Degraded())
	}

	if d := allow(t, s, "192.0.2.1"); !d.Allowed {
		t.Errorf("got %+v", d)
	}

	server.Restart()
	await(t, "Redis is used", func() bool { return !s.Degraded() })
}

func TestSharedOfUnknownAddresses(t *testing.T) {
	t.Parallel()

	server := redis.Start(t, redis.Options{})
	s, _ := newShared(t, server.URL)

	for n := range 2 {
		if d, err := s.Allow(t.Context(), netip.Addr{}); err != nil || d.Remaining != perMinute-1-n {
			t.Errorf("got %+v, %v", d, err)
		}
	}
}

func BenchmarkShared(b *testing.B) {
	server := redis.Start(b, redis.Options{})
	s, _ := newShared(b, server.URL)

	for b.Loop() {
		allow(b, s, "192.0.2.1")
	}
}

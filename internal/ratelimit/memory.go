package ratelimit

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"net/netip"
	"sync"
	"time"

	"github.com/didip/tollbooth/v7"
	"github.com/didip/tollbooth/v7/limiter"
)

const (
	// MaxPerMinute is the highest limit NewMemory takes.
	MaxPerMinute = 1_000_000
	// DefaultMaxAddresses is the default of MemoryOptions.MaxAddresses.
	DefaultMaxAddresses = 100_000

	sweepEvery = Window / 2
	// Each request that opens a window drops more than one that is over, so
	// that they do not accumulate, and few enough that it does not wait.
	forgetPerRequest = 8
	forgetPerBatch   = 1024
)

// MemoryOptions are the options of NewMemory.
type MemoryOptions struct {
	// PerMinute is the number of requests in a window, 1 to MaxPerMinute.
	PerMinute int
	// MaxAddresses is the number of addresses that may have a window of their
	// own at once; 0 is DefaultMaxAddresses.
	MaxAddresses int
}

// Memory is a Limiter for one process.
//
// An IPv4 address (an IPv4-mapped one too) or an IPv6 /64 has a window of its
// own: exactly PerMinute requests pass within a minute of the first, at any
// pace and any concurrency.
//
// Its memory is bounded. When MaxAddresses windows are live, a new address
// shares a window of the same limit with its IPv4 /16 or its IPv6 /32 (hashed to
// 65,536 groups) until that window ends. A flood of addresses therefore affects
// only new addresses of its own networks: those that have a window keep it, and
// other networks have shared windows of their own. The default allows 231,072
// windows, which take 76 MB.
type Memory struct {
	limit        int
	maxAddresses int
	epoch        time.Time
	seed         maphash.Seed
	buckets      *limiter.Limiter

	mu     sync.Mutex // guards the windows and keeps them in step with the buckets
	exact  windows
	shared windows

	stop    chan struct{}
	stopped chan struct{}
	once    sync.Once
}

var _ Limiter = (*Memory)(nil)

// NewMemory starts a Memory. Its goroutine drops windows that are over until
// Close.
func NewMemory(opts MemoryOptions) (*Memory, error) {
	if opts.PerMinute < 1 || opts.PerMinute > MaxPerMinute {
		return nil, fmt.Errorf("rate limit of %d a minute: want 1 to %d", opts.PerMinute, MaxPerMinute)
	}

	if opts.MaxAddresses < 0 {
		return nil, fmt.Errorf("rate limit for %d addresses: want 1 or more, or 0 for the default", opts.MaxAddresses)
	}

	if opts.MaxAddresses == 0 {
		opts.MaxAddresses = DefaultMaxAddresses
	}

	m := &Memory{
		limit:        opts.PerMinute,
		maxAddresses: opts.MaxAddresses,
		epoch:        time.Now(),
		seed:         maphash.MakeSeed(),
		buckets:      newBuckets(opts.PerMinute),
		exact:        newWindows(),
		shared:       newWindows(),
		stop:         make(chan struct{}),
		stopped:      make(chan struct{}),
	}
	go m.sweepUntilClosed()

	return m, nil
}

// newBuckets returns token buckets that in effect never refill, so that a
// bucket is a counter whose expiry is the end of its window. The rate cannot be
// zero: a new bucket is filled by the 292 years (the longest Duration) since its
// zero time, so the rate must fill the burst in that time and add no token in a
// minute. Very small rates overflow and turn the limit off.
func newBuckets(perMinute int) *limiter.Limiter {
	const (
		smallestRate = 1e-6 // tokens a second
		fillSeconds  = 5e9  // safely under 292 years
	)

	rate := max(smallestRate, float64(perMinute)/fillSeconds)

	return tollbooth.NewLimiter(rate, &limiter.ExpirableOptions{DefaultExpirationTTL: Window}).
		SetBurst(perMinute).
		SetIgnoreURL(true)
}

// Allow counts one request of addr. It never returns an error. Invalid
// addresses share one window.
func (m *Memory) Allow(_ context.Context, addr netip.Addr) (Decision, error) {
	m.mu.Lock()
	defer m.mu.Unlock()

	for {
		key, start := m.window(addr)
		// Each window has its own bucket, which is created after the window
		// began and so never ends before it.
		refused, remaining := tollbooth.LimitByKeysAndReturn(m.buckets, []string{bucketKey(key, start)})

		left := start + Window - m.now()
		if left <= 0 {
			continue // the window ended meanwhile
		}

		return Decision{Allowed: refused == nil, Limit: m.limit, Remaining: remaining, Reset: left}, nil
	}
}

// Close stops the goroutine and waits for it. It returns nil.
func (m *Memory) Close() error {
	m.once.Do(func() { close(m.stop) })
	<-m.stopped

	return nil
}

// window returns the key and the start of addr's live window, or begins one.
func (m *Memory) window(addr netip.Addr) (string, time.Duration) {
	now := m.now()
	m.exact.forget(now, forgetPerRequest)
	m.shared.forget(now, forgetPerRequest)

	exact := exactKey(addr)
	if start, ok := m.exact.live(exact, now); ok {
		return exact, start
	}

	// An address that was counted in a shared window stays there to its end:
	// a window of its own would double its limit.
	shared := sharedKey(addr, m.seed)
	if start, ok := m.shared.live(shared, now); ok {
		return shared, start
	}

	if len(m.exact.starts) < m.maxAddresses {
		m.exact.begin(exact, now)

		return exact, now
	}

	m.shared.begin(shared, now)

	return shared, now
}

// now is the monotonic time since NewMemory.
func (m *Memory) now() time.Duration {
	return time.Since(m.epoch)
}

func bucketKey(key string, start time.Duration) string {
	b := make([]byte, 0, len(key)+8)
	b = append(b, key...)

	return string(binary.BigEndian.AppendUint64(b, uint64(start))) //nolint:gosec // the bytes only have to differ
}

func (m *Memory) sweepUntilClosed() {
	defer close(m.stopped)

	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()

	for {
		select {
		case <-m.stop:
			return
		case <-ticker.C:
			m.sweep()
		}
	}
}

func (m *Memory) sweep() {
	for m.forgetBatch() > 0 {
	}

	m.buckets.DeleteExpiredTokenBuckets()
}

func (m *Memory) forgetBatch() int {
	m.mu.Lock()
	defer m.mu.Unlock()

	now := m.now()

	return m.exact.forget(now, forgetPerBatch) + m.shared.forget(now, forgetPerBatch)
}

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
	// DefaultMaxAddresses is the number of addresses with a window of their
	// own when MemoryOptions does not say.
	DefaultMaxAddresses = 100_000

	sweepEvery = Window / 2
	// Each request that opens a window clears more than one, so the old
	// never pile up, and never so many that a request waits for it.
	forgetPerRequest = 8
	forgetPerBatch   = 1024
)

// MemoryOptions are the options of NewMemory.
type MemoryOptions struct {
	// PerMinute is the number of requests in a window, 1 to MaxPerMinute.
	PerMinute int
	// MaxAddresses is how many addresses at once may have a window of their
	// own. Zero means DefaultMaxAddresses.
	MaxAddresses int
}

// Memory is a Limiter for one process.
//
// An IPv4 address (an IPv4-mapped one too) or an IPv6 /64 has a window of its
// own: exactly PerMinute requests pass within a minute of the first, at any
// pace and any concurrency.
//
// Its memory is bounded. When MaxAddresses windows are live, an address
// without one shares a window, with the same limit, with its IPv4 /16 or its
// IPv6 /32 (folded into 65,536 groups) until that shared window ends. So a
// flood of addresses costs the newcomers of its own networks their exactness
// and nobody else: addresses that already have a window keep it, and other
// networks have shared windows of their own. With the default that is at most
// 231,072 windows, measured at 76 MB.
type Memory struct {
	limit        int
	maxAddresses int
	epoch        time.Time
	seed         maphash.Seed
	buckets      *limiter.Limiter

	mu     sync.Mutex // guards the windows and their step with the buckets
	exact  windows
	shared windows

	stop    chan struct{}
	stopped chan struct{}
	once    sync.Once
}

var _ Limiter = (*Memory)(nil)

// NewMemory starts a Memory. Its goroutine clears what is over until Close.
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

// newBuckets makes token buckets that in effect never refill, so that a bucket
// is a plain counter and its expiry is the end of its window. The rate cannot
// be zero: a new bucket is filled by the 292 years (the longest Duration) since
// its zero time, so the rate must fill the burst in that time and give no token
// in a minute. Very small rates overflow and switch the limit off.
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
		// Each window has a bucket of its own, made after the window began,
		// so the bucket never ends before the window.
		refused, remaining := tollbooth.LimitByKeysAndReturn(m.buckets, []string{bucketKey(key, start)})

		left := start + Window - m.now()
		if left <= 0 {
			continue // the window ended meanwhile: the answer belongs to none
		}

		return Decision{Allowed: refused == nil, Limit: m.limit, Remaining: remaining, Reset: left}, nil
	}
}

// Close stops the clearing goroutine and waits for it. It returns nil.
func (m *Memory) Close() error {
	m.once.Do(func() { close(m.stop) })
	<-m.stopped

	return nil
}

// window finds the live window of addr, or begins one.
func (m *Memory) window(addr netip.Addr) (string, time.Duration) {
	now := m.now()
	m.exact.forget(now, forgetPerRequest)
	m.shared.forget(now, forgetPerRequest)

	exact := exactKey(addr)
	if start, ok := m.exact.live(exact, now); ok {
		return exact, start
	}

	// Who was counted in a shared window stays there to its end, or a place
	// that comes free would double the limit.
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

// now is the monotonic time since the limiter was made.
func (m *Memory) now() time.Duration {
	return time.Since(m.epoch)
}

func bucketKey(key string, start time.Duration) string {
	b := make([]byte, 0, len(key)+8)
	b = append(b, key...)

	return string(binary.BigEndian.AppendUint64(b, uint64(start))) //nolint:gosec // only has to differ
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

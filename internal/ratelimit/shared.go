package ratelimit

import (
	"context"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// probeEvery is how often a Redis that failed is asked whether it is back. It
// is longer than redisWait, so no request that failed before is still on its
// way when Redis is believed again.
const probeEvery = time.Second

// SharedOptions are the options of NewShared. All but Changed are required.
type SharedOptions struct {
	// URL is of Redis: redis:// or rediss://.
	URL string
	// PerMinute is the number of requests in a window, 1 to MaxPerMinute.
	PerMinute int
	// Logger is told when Redis fails and when it is back.
	Logger *slog.Logger
	// Changed is told what Degraded says from now on; nil is nobody.
	Changed func(degraded bool)
}

// Shared is a Limiter for all replicas that use one Redis: exactly PerMinute
// requests of an IPv4 address or an IPv6 /64 pass within a minute of the first,
// whichever replicas they reach.
//
// When Redis fails a request or is silent for longer than a request can wait,
// this request and those after it are counted in this process's memory, as
// [Memory] does, until a probe in the background finds Redis well. So one
// request at most waits in vain for each failure (and those that were under
// way with it), and an address gets at most the limit of each replica.
//
// The two kinds of counts know nothing of each other: an address begins a new
// window in memory when Redis fails, and goes on in its window of Redis, or
// begins one there, when it is back; what memory counted is then forgotten.
type Shared struct {
	limit  int
	url    string
	client atomic.Pointer[redis.Client]
	memory *Memory
	logger *slog.Logger
	tell   func(degraded bool)

	degraded  atomic.Bool
	fallbacks atomic.Uint64

	failed  chan struct{} // has one element from a failure to its probe
	stop    context.CancelFunc
	stopped chan struct{}
}

var _ Limiter = (*Shared)(nil)

// NewShared starts a Shared. A Redis that is out of reach is no error: it is
// as if it had failed later. ctx bounds the first look at Redis alone.
func NewShared(ctx context.Context, opts SharedOptions) (*Shared, error) {
	memory, err := NewMemory(MemoryOptions{PerMinute: opts.PerMinute})
	if err != nil {
		return nil, err
	}
	client, err := newClient(opts.URL, redisWait)
	if err != nil {
		_ = memory.Close()
		return nil, err
	}
	if opts.Changed == nil {
		opts.Changed = func(bool) {}
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	s := &Shared{
		limit: opts.PerMinute, url: opts.URL, memory: memory, logger: opts.Logger, tell: opts.Changed,
		failed: make(chan struct{}, 1), stop: stop, stopped: make(chan struct{}),
	}
	s.client.Store(client)
	go s.watch(life)
	if err := probe(ctx, client); err != nil {
		s.fallBack(ctx, err)
	}
	return s, nil
}

// Allow counts one request of addr. It never returns an error. Invalid
// addresses share one window.
func (s *Shared) Allow(ctx context.Context, addr netip.Addr) (Decision, error) {
	if !s.degraded.Load() {
		requests, left, err := count(ctx, s.client.Load(), redisKey(addr))
		if err == nil {
			return s.decide(requests, left), nil
		}
		s.fallBack(ctx, err)
	}
	s.fallbacks.Add(1)
	return s.memory.Allow(ctx, addr)
}

func (s *Shared) decide(requests int64, left time.Duration) Decision {
	limit := int64(s.limit)
	return Decision{
		Allowed: requests <= limit, Limit: s.limit,
		Remaining: int(max(0, limit-requests)), Reset: left,
	}
}

// Degraded tells whether this process counts in its memory because Redis
// failed.
func (s *Shared) Degraded() bool { return s.degraded.Load() }

// Fallbacks is how many requests were counted in memory since the start.
func (s *Shared) Fallbacks() uint64 { return s.fallbacks.Load() }

// Close stops the probing, closes the connections and returns nil.
func (s *Shared) Close() error {
	s.stop()
	<-s.stopped
	_ = s.client.Load().Close() // Nothing more is asked.
	return s.memory.Close()
}

// fallBack is called with each failure; the first of an outage counts.
func (s *Shared) fallBack(ctx context.Context, err error) {
	if !s.degraded.CompareAndSwap(false, true) {
		return
	}
	s.logger.WarnContext(ctx, "Redis (REDIS_URL) fails: this replica counts the rate limit in its own memory until Redis is back",
		"error", err)
	s.tell(true)
	s.failed <- struct{}{}
}

// watch waits for failures and probes after each until Redis is back.
func (s *Shared) watch(ctx context.Context) {
	defer close(s.stopped)
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.failed:
		}
		if !s.probeUntilBack(ctx) {
			return
		}
		s.logger.InfoContext(ctx, "Redis (REDIS_URL) is back: the rate limit is counted over all replicas again")
		s.tell(false)
		s.degraded.Store(false)
	}
}

// probeUntilBack probes with connections of its own, which then take the place
// of those that the outage may have broken without a sign. It returns false
// when ctx ends first.
func (s *Shared) probeUntilBack(ctx context.Context) bool {
	client, err := newClient(s.url, redisWait)
	if err != nil {
		return false // It was made once of the same URL.
	}
	ticker := time.NewTicker(probeEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			_ = client.Close() // It carried nothing.
			return false
		case <-ticker.C:
			if probe(ctx, client) == nil {
				_ = s.client.Swap(client).Close() // No request uses it since the failure.
				return true
			}
		}
	}
}

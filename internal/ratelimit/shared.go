package ratelimit

import (
	"context"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// probeEvery is how often a Redis that failed is probed. It is longer than
// redisTimeout, so that no request from before the failure is still waiting when
// Redis is used again.
const probeEvery = time.Second

// SharedOptions are the options of NewShared. All but Changed are required.
type SharedOptions struct {
	// URL is the URL of Redis: redis:// or rediss://.
	URL string
	// PerMinute is the number of requests in a window, 1 to MaxPerMinute.
	PerMinute int
	// Logger gets a line when Redis fails and when it is back.
	Logger *slog.Logger
	// Changed is called with each new value of Degraded; it may be nil.
	Changed func(degraded bool)
}

// Shared is a Limiter for all replicas that use one Redis: exactly PerMinute
// requests of an IPv4 address or an IPv6 /64 pass within a minute of the first,
// whichever replicas they reach.
//
// When Redis fails a request or does not answer within redisTimeout, this request
// and those after it are counted in this process's memory, as [Memory] does,
// until a probe in the background succeeds. So an outage delays only the request
// that notices it and those that run beside it, and an address gets at most the
// limit of each replica.
//
// The two counts are independent: an address begins a new window in memory when
// Redis fails, and continues or begins one in Redis when it is back; the count in
// memory is then not used.
type Shared struct {
	limit   int
	url     string
	client  atomic.Pointer[redis.Client]
	memory  *Memory
	logger  *slog.Logger
	changed func(degraded bool)

	degraded  atomic.Bool
	fallbacks atomic.Uint64

	failed  chan struct{} // has one element from a failure to its probe
	stop    context.CancelFunc
	stopped chan struct{}
}

var _ Limiter = (*Shared)(nil)

// NewShared starts a Shared. An unreachable Redis is not an error: it is treated
// like one that fails later. ctx bounds only the first probe.
func NewShared(ctx context.Context, opts SharedOptions) (*Shared, error) {
	memory, err := NewMemory(MemoryOptions{PerMinute: opts.PerMinute})
	if err != nil {
		return nil, err
	}
	client, err := newClient(opts.URL, redisTimeout)
	if err != nil {
		_ = memory.Close()
		return nil, err
	}
	if opts.Changed == nil {
		opts.Changed = func(bool) {}
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	s := &Shared{
		limit: opts.PerMinute, url: opts.URL, memory: memory, logger: opts.Logger, changed: opts.Changed,
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

// Degraded reports whether this process counts in its memory because Redis
// failed.
func (s *Shared) Degraded() bool { return s.degraded.Load() }

// Fallbacks is the number of requests that were counted in memory.
func (s *Shared) Fallbacks() uint64 { return s.fallbacks.Load() }

// Close stops the probing, closes the connections and returns nil.
func (s *Shared) Close() error {
	s.stop()
	<-s.stopped
	_ = s.client.Load().Close() // It is not used again.
	return s.memory.Close()
}

// fallBack begins an outage; further failures of the same outage do nothing.
func (s *Shared) fallBack(ctx context.Context, err error) {
	if !s.degraded.CompareAndSwap(false, true) {
		return
	}
	s.logger.WarnContext(ctx, "Redis (REDIS_URL) fails: this replica counts the rate limit in its own memory until Redis is back",
		"error", err)
	s.changed(true)
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
		s.changed(false)
		s.degraded.Store(false)
	}
}

// probeUntilBack probes with a new client, which then replaces the old one, whose
// connections the outage may have broken. It returns false when ctx is done
// first.
func (s *Shared) probeUntilBack(ctx context.Context) bool {
	client, err := newClient(s.url, redisTimeout)
	if err != nil {
		return false // Impossible: NewShared parsed the same URL.
	}
	ticker := time.NewTicker(probeEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			_ = client.Close() // It was not used.
			return false
		case <-ticker.C:
			if probe(ctx, client) == nil {
				_ = s.client.Swap(client).Close() // Unused since the failure.
				return true
			}
		}
	}
}

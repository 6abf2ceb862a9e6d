package mcp

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// server is one server, its connection and its tools.
type server struct {
	Server

	version string
	logger  *slog.Logger
	pace    pace
	redact  redactor

	warnings *warnings
	sanitize *sanitizer
	schemas  schemas

	// listing is the last list of tools. It outlives its connection, so that
	// the tools stay offered while the server is being reconnected. It is nil
	// before the first connection, and once a server has been away for long.
	listing atomic.Pointer[listing]
	slot    *slot
	calls   atomic.Int64 // in progress
	// completed is set when the server has answered a call.
	completed atomic.Bool

	tried     chan struct{} // closed after the first attempt to connect
	triedOnce sync.Once
}

func newServer(of Server, o Options) *server {
	s := &server{
		Server: of, version: o.Version, logger: o.Logger.With("tool_server", of.Name),
		redact: newRedactor(of), slot: newSlot(), tried: make(chan struct{}),
	}
	if o.pace == nil {
		o.pace = usualPace()
	}
	s.pace = *o.pace
	s.StartTimeout = cmp.Or(s.StartTimeout, s.pace.start)
	s.warnings = newWarnings(s.logger)
	s.sanitize = &sanitizer{warnings: s.warnings, redact: s.redact}
	return s
}

func (s *server) setTried() { s.triedOnce.Do(func() { close(s.tried) }) }

// maintain keeps a connection to the server until ctx ends.
//
// The pause before a new attempt doubles each time. Only a completed call, or
// a connection that lasted, makes it short again: a command that starts well
// and dies at every call must not be restarted without end.
func (s *server) maintain(ctx context.Context) {
	defer s.listing.Store(nil)
	defer s.slot.close()
	defer s.setTried()
	wait, seen := s.pace.again, time.Now()
	for {
		s.completed.Store(false)
		began := time.Now()
		connected, err := s.serve(ctx)
		if ctx.Err() != nil {
			return
		}
		if connected {
			seen = time.Now()
		}
		if s.completed.Load() || connected && time.Since(began) > s.pace.steady {
			wait = s.pace.again
		}
		pause := wait/2 + rand.N(wait/2+1) //nolint:gosec // spreads attempts, hides nothing
		s.logger.WarnContext(ctx, "a tool server is not connected", "error", s.redact.forLog(err.Error()),
			"retry_in", pause.Round(time.Microsecond), "tools_offered", s.expire(seen))
		s.setTried()
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		wait = min(2*wait, s.pace.most)
	}
}

// expire drops the cached tools of a server that was last connected long ago.
// It returns how many tools remain.
func (s *server) expire(seen time.Time) int {
	known := s.listing.Load()
	if known == nil {
		return 0
	}
	if time.Since(seen) > s.pace.keep {
		s.listing.Store(nil)
		return 0
	}
	return len(known.tools)
}

var errEnded = errors.New("the server ended the connection")

// serve connects and keeps the list of tools fresh until the connection or ctx
// ends. It reports whether the server was connected and listed its tools.
func (s *server) serve(ctx context.Context) (connected bool, err error) {
	began := time.Now()
	c, err := s.connect(ctx)
	if err != nil {
		return false, err
	}
	defer c.close()
	if err := s.list(ctx, c, s.StartTimeout); err != nil {
		return false, c.explain(err)
	}
	s.logger.InfoContext(ctx, "a tool server is connected", "tools", len(s.listing.Load().tools),
		"start_took", time.Since(began).Round(time.Millisecond))
	s.slot.set(c)
	defer s.slot.set(nil)
	s.setTried()
	return true, s.watch(ctx, c)
}

// watch lists the tools again at intervals, and when the server or a call asks
// for it. It returns when the connection or ctx ends.
func (s *server) watch(ctx context.Context, c *connection) error {
	ended := make(chan error, 1)
	go func() { ended <- c.session.Wait() }()
	interval := time.NewTicker(s.pace.check)
	defer interval.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-ended:
			return c.explain(errors.Join(errEnded, err))
		case <-c.changed:
		case <-c.doubted:
		case <-interval.C:
			if s.calls.Load() > 0 {
				continue // A server that does one thing at a time is busy, not disconnected.
			}
		}
		if err := s.refresh(ctx, c, ended); err != nil {
			return c.explain(err)
		}
		s.slot.set(c)
	}
}

// refresh lists the tools again, after a short gap since the last time. A
// server that answers with an error keeps the list it had.
func (s *server) refresh(ctx context.Context, c *connection, ended chan error) error {
	before := s.listing.Load()
	gap := time.NewTimer(time.Until(before.at.Add(s.pace.gap)))
	defer gap.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-ended:
		return errors.Join(errEnded, err)
	case <-gap.C:
	}
	err := s.list(ctx, c, s.pace.list)
	if refused, ok := errors.AsType[*answerError](err); answerOf(err) != nil || ok && refused.temporary() {
		s.warnings.warn(ctx, "a tool server does not list its tools", "", "error", s.redact.forLog(err.Error()))
		return nil
	}
	if now := s.listing.Load(); err == nil && !now.sameAs(before) {
		s.logger.InfoContext(ctx, "the tools of a tool server have changed", "tools", len(now.tools))
	}
	return err
}

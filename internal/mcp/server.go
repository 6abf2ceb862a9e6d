package mcp

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// server is one server with its connection, while there is one.
type server struct {
	Server

	version string
	logger  *slog.Logger
	pace    pace
	redact    redactor

	// listing is nil while the server is away.
	listing atomic.Pointer[listing]
	calls   atomic.Int64 // under way
	tried   chan struct{}
}

func newServer(of Server, o Options) *server {
	s := &server{
		Server: of, version: o.Version, logger: o.Logger.With("tool_server", of.Name),
		redact: newRedactor(of), tried: make(chan struct{}),
	}
	if o.pace == nil {
		o.pace = usualPace()
	}
	s.pace = *o.pace
	return s
}

// tend keeps a connection to the server until ctx ends.
func (s *server) tend(ctx context.Context) {
	wait, first := s.pace.again, true
	for {
		began := time.Now()
		err := s.attend(ctx, func() {
			if first {
				close(s.tried)
				first = false
			}
		})
		s.listing.Store(nil)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > s.pace.steady {
			wait = s.pace.again
		}
		pause := wait/2 + rand.N(wait/2+1) //nolint:gosec // spreads attempts, hides nothing
		s.logger.WarnContext(ctx, "a tool server is away; its tools are not offered",
			"error", s.redact.forLog(err.Error()), "again_in", pause.Round(time.Millisecond))
		if first {
			close(s.tried)
			first = false
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		wait = min(2*wait, s.pace.most)
	}
}

var errEnded = errors.New("the server ended the connection")

// attend connects, and keeps the list of tools fresh until the connection or
// ctx ends. It says when the server is there.
func (s *server) attend(ctx context.Context, there func()) error {
	l, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	if err := s.list(ctx, l, s.pace.connect); err != nil {
		return l.explain(err)
	}
	s.logger.InfoContext(ctx, "a tool server is there", "tools", len(s.listing.Load().tools))
	there()
	ended := make(chan error, 1)
	go func() { ended <- l.session.Wait() }()
	look := time.NewTicker(s.pace.look)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-ended:
			return l.explain(errors.Join(errEnded, err))
		case <-l.changed:
		case <-l.doubted:
		case <-look.C:
			if s.calls.Load() > 0 {
				continue // A server that does one thing at a time is busy, not gone.
			}
		}
		if err := s.lookAgain(ctx, l, ended); err != nil {
			return l.explain(err)
		}
	}
}

// lookAgain lists the tools again, not at once after the last time. A server
// that answers, but with a failure, keeps the list it had.
func (s *server) lookAgain(ctx context.Context, l *connection, ended chan error) error {
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
	err := s.list(ctx, l, s.pace.list)
	if answer := answerOf(err); answer != nil {
		s.logger.WarnContext(ctx, "a tool server does not list its tools", "error", s.redact.forLog(answer.Message))
		return nil
	}
	if now := s.listing.Load(); err == nil && !now.sameAs(before) {
		s.logger.InfoContext(ctx, "a tool server's tools have changed", "tools", len(now.tools))
	}
	return err
}

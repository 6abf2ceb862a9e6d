package mcp

import (
	"context"
	"errors"
	"sync"
)

// slot holds a server's current connection. Calls wait in it for one while the
// server is being reconnected.
type slot struct {
	mu      sync.Mutex
	current *connection
	closed  bool
	changed chan struct{} // closed and replaced when the fields above change
}

var errClosed = errors.New("the toolbox is closed")

func newSlot() *slot { return &slot{changed: make(chan struct{})} }

// set replaces the current connection; nil means that there is none.
func (s *slot) set(c *connection) { s.update(func() { s.current = c }) }

// close makes every wait fail.
func (s *slot) close() { s.update(func() { s.current, s.closed = nil, true }) }

func (s *slot) update(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	close(s.changed)
	s.changed = make(chan struct{})
}

// wait returns the current connection, as soon as there is one.
func (s *slot) wait(ctx context.Context) (*connection, error) {
	for {
		s.mu.Lock()
		current, closed, changed := s.current, s.closed, s.changed
		s.mu.Unlock()
		switch {
		case closed:
			return nil, errClosed
		case current != nil:
			return current, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// suspend makes calls wait until a connection that a call found broken has
// been checked: it is set again, or replaced.
func (s *slot) suspend(c *connection) {
	s.update(func() {
		if s.current == c {
			s.current = nil
		}
	})
	ask(c.doubted)
}

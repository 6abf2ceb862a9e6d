package chat

import (
	"context"
	"time"
)

// ahead is a question that was sent to the model while its run is being stored:
// a model takes far longer to begin with an answer than a database to store a
// message, so nobody waits for the database. Nothing is told of the answer
// before the run is stored; if it cannot be, the question is cancelled.
type ahead struct {
	// answers has what came of it, once, unless the run has ended by then.
	answers chan answered
	// cancel ends a question that should not have been asked.
	cancel context.CancelFunc
	// over is closed when nobody looks at the run for its sake any more.
	over chan struct{}
}

type answered struct {
	stream ModelStream
	err    error
}

// maxAhead is how many questions may be out whose runs are not stored yet. A
// database that hangs, or takes no writes, costs no more than these.
const maxAhead = 4

// mayAskAhead says whether a question may go before its run is stored: not after
// one that could not be, until one is, nor beside another of the same thread.
func (s *Service) mayAskAhead(r *ActiveRun) bool {
	if !s.stores.Load() {
		return false
	}
	if s.unstored.Add(1) > maxAhead || !s.holdTurn(r) {
		s.unstored.Add(-1)
		return false
	}
	return true
}

// headStart is for how long the storing of a run stands back from its question,
// unless the answer begins sooner. The question is what the user waits for: on
// few cores the transaction would hold up its sending, and a proxy or a model on
// the same machine that is to read it. A client that is told of its message
// before there is an answer is told so much later.
const headStart = 3 * time.Millisecond

// askAhead readies a run whose storing is under way, and asks the model its first
// question. It returns when that has had its head start. There is none where the
// store holds a lock that others wait for, nor in a crowd, which would soon have
// no question left to go ahead.
func (s *Service) askAhead(r *ActiveRun, history []Item, locked bool) {
	asking := &ahead{answers: make(chan answered), over: make(chan struct{})}
	r.ctx, asking.cancel = context.WithCancel(r.ctx)
	r.ahead = asking
	ready, came := make(chan struct{}), make(chan struct{})
	s.runners.Go(func() {
		defer close(asking.over)
		var a answered
		a.err = s.guard(r, func() error {
			defer close(ready)
			s.prepare(r, history)
			return nil
		})
		ctx := r.ctx
		if a.err == nil {
			a.err = s.guard(r, func() (err error) {
				a.stream, err = s.ask(ctx, r)
				return err
			})
		}
		close(came)
		select {
		case asking.answers <- a:
		case <-ctx.Done():
			if a.stream != nil {
				_ = a.stream.Close()
			}
		}
	})
	if crowded := s.unstored.Load() > maxAhead/2; !locked && !crowded {
		patience := time.NewTimer(headStart)
		defer patience.Stop()
		select {
		case <-came:
		case <-patience.C:
		}
	}
	<-ready
}

// takeBack cancels a question that was asked of a history that is not the
// thread's. What it readied the run with is readied anew.
func (s *Service) takeBack(r *ActiveRun) {
	r.ahead.cancel()
	<-r.ahead.over
	r.ahead = nil
	s.drop(r, "its history had changed")
}

// drop tells of a question whose run was not stored: it may have cost something.
func (s *Service) drop(r *ActiveRun, why string) {
	s.Logger.WarnContext(r.ctx, "a question was cancelled that had gone before its run was stored", "run", r.ID,
		"session", r.run.SessionID, "user", r.user, "reason", why)
	_ = s.guard(r, func() error { // Its panic is logged.
		if r.observed {
			r.observed = false
			s.Observer.RunDropped(r.ctx)
		}
		return nil
	})
}

// open asks the model, or returns the answer to what was asked ahead.
func (s *Service) open(r *ActiveRun) (ModelStream, error) {
	if r.ahead == nil {
		return s.ask(r.ctx, r)
	}
	select {
	case a := <-r.ahead.answers:
		r.ahead = nil
		return a.stream, a.err
	case <-r.ctx.Done():
		return nil, r.ctx.Err()
	}
}

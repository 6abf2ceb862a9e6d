package chat

import (
	"slices"
	"time"
)

// announce makes a run known to whoever deletes its session, before the store
// has it: the deletion may come between the two.
func (s *Service) announce(r *ActiveRun) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.starting[r.run.SessionID] = append(s.starting[r.run.SessionID], r)
}

// register ends the announcement of a run. One that was started is known from
// then on to those who may cancel it.
func (s *Service) register(r *ActiveRun, started bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := r.run.SessionID
	s.starting[id] = slices.DeleteFunc(s.starting[id], func(other *ActiveRun) bool { return other == r })
	if len(s.starting[id]) == 0 {
		delete(s.starting, id)
	}
	close(r.settled)
	if !started {
		return
	}
	s.live[id] = r
	if s.stops() {
		r.Cancel(FailureServerStopped)
	}
}

// stops says whether no runs may go on at all.
func (s *Service) stops() bool {
	select {
	case <-s.stopping:
		return true
	default:
		return false
	}
}

// enter counts a runner in, unless the service drains.
func (s *Service) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return errRestarting()
	}
	s.runners.Add(1)
	return nil
}

func errRestarting() error {
	err := Errorf(CodeServiceUnavailable, "The server is restarting; try again shortly.")
	err.RetryAfter = time.Second
	return err
}

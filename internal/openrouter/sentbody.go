package openrouter

import (
	"errors"
	"io"
	"net/http"
	"sync"
)

// sentBody is the body of a request, which net/http holds on to for as long as
// the answer comes. It lets go of its bytes, a whole history, once they are
// sent and upstream has begun to answer.
type sentBody struct {
	mu    sync.Mutex
	body  io.ReadCloser
	again func() (io.ReadCloser, error)
}

var errSent = errors.New("openrouter: the request's body was sent")

// holdBody puts a sentBody in the place of the request's body.
func holdBody(req *http.Request) *sentBody {
	s := &sentBody{body: req.Body, again: req.GetBody}
	if req.Body != nil {
		req.Body = s
	}
	if req.GetBody != nil {
		req.GetBody = s.getBody
	}
	return s
}

func (s *sentBody) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.body == nil {
		return 0, errSent
	}
	return s.body.Read(p)
}

// Close is called by net/http when the body is sent, or will not be.
func (s *sentBody) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.body == nil {
		return nil
	}
	err := s.body.Close()
	s.body = nil
	return err
}

// getBody is for a request that net/http sends again, on another connection.
func (s *sentBody) getBody() (io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.again == nil {
		return nil, errSent
	}
	body, err := s.again()
	if err != nil {
		return nil, err
	}
	return &sentBody{body: body}, nil
}

// answered says that the body will not be asked for again.
func (s *sentBody) answered() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.again = nil
}

package openrouter

import (
	"errors"
	"io"
	"net/http"
	"sync"
)

// sentBody is the body of a request. net/http keeps the request until the end of the
// response, but sentBody releases its data, a whole history, when the data is sent
// and the response has begun.
type sentBody struct {
	mu      sync.Mutex
	body    io.ReadCloser
	newBody func() (io.ReadCloser, error)
}

var errSent = errors.New("openrouter: the request's body was sent")

// wrapBody replaces the request's body with a sentBody.
func wrapBody(req *http.Request) *sentBody {
	s := &sentBody{body: req.Body, newBody: req.GetBody}
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

// Close releases the data. net/http calls it when the body is sent, or will not be.
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

// getBody returns the body again. net/http calls it to resend a request on another
// connection.
func (s *sentBody) getBody() (io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.newBody == nil {
		return nil, errSent
	}
	body, err := s.newBody()
	if err != nil {
		return nil, err
	}
	return &sentBody{body: body}, nil
}

// release releases the data for getBody. The caller calls it when the response has
// begun, so that the request is not sent again.
func (s *sentBody) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.newBody = nil
}

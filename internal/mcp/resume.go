package mcp

import (
	"net/http"
	"time"
)

const (
	// resumeFor is how long a server that cannot be reached is asked to resume
	// the stream of a call. The pause between two attempts doubles from
	// resumePause.
	resumeFor   = time.Second
	resumePause = 50 * time.Millisecond
)

// resume continues the stream of one call. If the server does not do that, the
// answer is an empty stream, after which the library fails that call alone. A
// session that the server no longer knows is an end of the connection.
func (t *httpTransport) resume(request *http.Request) (*http.Response, error) {
	began, pause := time.Now(), resumePause
	for {
		response, err := t.send(request)
		if request.Context().Err() != nil || t.life.Err() != nil {
			return response, err
		}
		if err == nil {
			if t.isResumption(request, response) {
				return response, nil
			}
			_ = response.Body.Close()
		}
		if err == nil && !isTemporary(response.StatusCode) || time.Since(began) > resumeFor {
			return streamOf(request, http.NoBody), nil
		}
		select {
		case <-request.Context().Done():
		case <-t.life.Done():
		case <-time.After(pause):
		}
		pause *= 2
	}
}

// isResumption reports whether the library can read the answer to a request that
// resumes a stream.
func (t *httpTransport) isResumption(request *http.Request, response *http.Response) bool {
	if response.StatusCode == http.StatusOK && mediaType(response) == eventStream {
		t.repairEvents(response)
		return true
	}
	return response.StatusCode == http.StatusNotFound && request.Header.Get(sessionHeader) != ""
}

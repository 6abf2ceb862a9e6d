package observe_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// TestProtocolStreamsAreCounted checks that streams of the ChatKit
// protocol count as live streams and that its other answers do not.
func TestProtocolStreamsAreCounted(t *testing.T) {
	t.Parallel()
	s := startObserved(t, harness.Options{Database: harness.SQLite})
	user := s.User(t)
	s.Upstream.Answer("held", harness.Script{harness.Text("I"), harness.Hang()})
	stream := ask(t, s, user, `{"type":"threads.create","params":{"input":{"content":[{"type":"input_text","text":"held"}],
		"attachments":[],"inference_options":{}}}}`)
	s.await(t, expectation{"chatkit_live_streams", nil, 1})
	// An incomplete body keeps the request open, which is not a stream.
	body, more := io.Pipe()
	waiting := newAsk(t, s, user, body)
	answered := make(chan error, 1)
	go func() {
		response, err := http.DefaultTransport.RoundTrip(waiting)
		if err == nil {
			err = response.Body.Close()
		}
		answered <- err
	}()
	const list = `{"type":"threads.list","params":{}}`
	if _, err := io.WriteString(more, list[:1]); err != nil {
		t.Fatal(err)
	}
	s.await(t, expectation{"chatkit_live_streams", nil, 1})
	if _, err := io.WriteString(more, list[1:]); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(more.Close(), <-answered, stream.Close()); err != nil {
		t.Error(err)
	}
	s.await(t, expectation{"chatkit_live_streams", nil, 0})
}

// ask sends a request of the ChatKit protocol and returns the body of the
// answer.
func ask(t *testing.T, s *observed, user *harness.User, body string) io.ReadCloser {
	t.Helper()
	response, err := http.DefaultTransport.RoundTrip(newAsk(t, s, user, strings.NewReader(body)))
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Fatalf("the server answered %s", response.Status)
	}
	return response.Body
}

func newAsk(t *testing.T, s *observed, user *harness.User, body io.Reader) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/api/v1/chatkit", body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+user.Token)
	request.Header.Set("Content-Type", "application/json")
	return request
}

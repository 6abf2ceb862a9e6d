package observe_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// The protocol's streams are live streams; its other answers are none.
func TestStreamsOfTheProtocolAreCounted(t *testing.T) {
	t.Parallel()
	s := startObserved(t, harness.Options{Database: harness.SQLite})
	user := s.User(t)
	s.Upstream.Answer("held", harness.Script{harness.Text("I"), harness.Hang()})
	stream := ask(t, s, user, `{"type":"threads.create","params":{"input":{"content":[{"type":"input_text","text":"held"}],
		"attachments":[],"inference_options":{}}}}`)
	s.await(t, expectation{"chatkit_live_streams", nil, 1})
	// A body that does not come keeps the request, and no stream, open.
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

// ask asks the protocol's door and returns the answer's body.
func ask(t *testing.T, s *observed, user *harness.User, body string) io.ReadCloser {
	t.Helper()
	response, err := http.DefaultTransport.RoundTrip(newAsk(t, s, user, strings.NewReader(body)))
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Fatalf("the door answered %s", response.Status)
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

//go:build deploy

package deploy_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// caller is a client with an address of its own.
type caller struct {
	t      *testing.T
	base   string
	token  string
	header http.Header // sent with each request
	http   *http.Client
}

// newCaller returns a client of the server at the URL with a loopback address
// as its own.
func newCaller(t *testing.T, base, from string) *caller {
	t.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	transport := &http.Transport{DialContext: dialer.DialContext, DisableCompression: true, TLSClientConfig: trustTests()}
	t.Cleanup(transport.CloseIdleConnections)
	return &caller{
		t: t, base: base, token: harness.Token(t, jwtSecret, "user-"+from),
		header: http.Header{}, http: &http.Client{Transport: transport},
	}
}

func (c *caller) send(method, path, body string) *http.Response {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	c.t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	request.Header = c.header.Clone()
	request.Header.Set("Authorization", "Bearer "+c.token)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(request)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	return response
}

// status sends a request to the API and returns the status of the answer.
func (c *caller) status() int {
	c.t.Helper()
	response := c.send(http.MethodGet, harness.SessionsPath, "")
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body) // so that the connection can be reused
	return response.StatusCode
}

func (c *caller) createSession() uuid.UUID {
	c.t.Helper()
	response := c.send(http.MethodPost, harness.SessionsPath, "")
	defer response.Body.Close()
	var answer struct {
		Data struct {
			ID uuid.UUID `json:"id"`
		} `json:"data"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != http.StatusOK {
		c.t.Fatalf("create a session: %s (%v)", response.Status, err)
	}
	return answer.Data.ID
}

// stream is the answer of a run.
type stream struct {
	response *http.Response
	reader   *bufio.Reader
}

func (c *caller) say(session uuid.UUID, text string) *stream {
	c.t.Helper()
	body, err := json.Marshal(harness.MessageBody(text))
	if err != nil {
		c.t.Fatal(err)
	}
	response := c.send(http.MethodPost, harness.RunsPath(session, session), string(body))
	c.t.Cleanup(func() { _ = response.Body.Close() })
	if response.StatusCode != http.StatusOK {
		answer, _ := io.ReadAll(response.Body)
		c.t.Fatalf("run: %s: %s", response.Status, answer)
	}
	return &stream{response: response, reader: bufio.NewReader(response.Body)}
}

// delta reads up to the next delta and checks its text.
func (s *stream) delta(t *testing.T, want string) {
	t.Helper()
	for {
		event, err := harness.ReadEvent(s.reader)
		if err != nil {
			t.Fatalf("the stream ended before %q: %v", want, err)
		}
		if said := harness.DeltaText([]harness.Event{event}); said != "" {
			if said != want {
				t.Fatalf("the next delta is %q, want %q", said, want)
			}
			return
		}
	}
}

// rest reads to the end of the stream.
func (s *stream) rest(t *testing.T) []string {
	t.Helper()
	events, err := harness.ReadEvents(s.reader)
	if err != nil && !errors.Is(err, io.EOF) {
		t.Errorf("the stream was cut: %v", err)
	}
	return harness.Types(events)
}

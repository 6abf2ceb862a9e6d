package streams_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// wirePatience is how long a stream may take, so that a server that hangs fails only
// its own test.
const wirePatience = 3 * time.Minute

// wireRun is a run whose client misuses its connection: it closes half of it,
// resets it, or does not read.
type wireRun struct {
	conn     *net.TCPConn
	reader   *bufio.Reader // of conn
	request  *http.Request
	response *http.Response
	body     *bufio.Reader
	// checked reads an answer and validates its head, and as much of its body as is
	// read, against openapi.yaml.
	checked http.RoundTripper
}

// RoundTrip implements http.RoundTripper for a request that is sent already.
func (r *wireRun) RoundTrip(request *http.Request) (*http.Response, error) {
	return http.ReadResponse(r.reader, request)
}

// sendRun sends the request of a run and does not read its answer.
func sendRun(t *testing.T, s *stand, user *harness.User, session uuid.UUID, question string) *wireRun {
	t.Helper()
	run := dialRun(t, s, user, session, question, nil)
	run.send(t)
	return run
}

// sendChatKit is sendRun with the ChatKit protocol, in which a client that
// disconnects cancels its run.
func sendChatKit(t *testing.T, s *stand, user *harness.User, session uuid.UUID, question string) *wireRun {
	t.Helper()
	run := dialChatKit(t, s, user, session, question, nil)
	run.send(t)
	return run
}

// dialFunc is dialRun or dialChatKit.
type dialFunc func(t *testing.T, s *stand, user *harness.User, session uuid.UUID, question string, control controlFunc) *wireRun

// controlFunc may set options of a socket; nil sets none.
type controlFunc func(network, address string, c syscall.RawConn) error

// dialRun connects and makes the request of a run, but does not send it.
func dialRun(t *testing.T, s *stand, user *harness.User, session uuid.UUID, question string, control controlFunc) *wireRun {
	t.Helper()
	return dial(t, s, user, harness.RunsPath(session, session), harness.MessageBody(question), control)
}

// dialChatKit is dialRun with the ChatKit protocol.
func dialChatKit(t *testing.T, s *stand, user *harness.User, session uuid.UUID, question string, control controlFunc) *wireRun {
	t.Helper()
	type object map[string]any
	input := object{
		"content": []any{object{"type": "input_text", "text": question}}, "attachments": []any{}, "inference_options": object{},
	}
	return dial(t, s, user, "/api/v1/chatkit", object{
		"type": "threads.add_user_message", "params": object{"thread_id": session, "input": input},
	}, control)
}

func dial(t *testing.T, s *stand, user *harness.User, path string, message any, control controlFunc) *wireRun {
	t.Helper()
	body, err := json.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+user.Token)
	request.Header.Set("Content-Type", "application/json")
	dialer := net.Dialer{Control: control}
	conn, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // Most tests have closed it.
	if err := conn.SetDeadline(time.Now().Add(wirePatience)); err != nil {
		t.Fatal(err)
	}
	run := &wireRun{conn: conn.(*net.TCPConn), reader: bufio.NewReader(conn), request: request}
	run.checked = s.HTTPOver(t, run).Transport
	return run
}

// send sends the whole request.
func (r *wireRun) send(t *testing.T) {
	t.Helper()
	if err := r.request.Write(r.conn); err != nil {
		t.Fatalf("send a run: %v", err)
	}
}

// sendHead sends the request without its body and waits until the server asks for
// it. It returns a function that sends the body.
func (r *wireRun) sendHead(t *testing.T) (sendBody func()) {
	t.Helper()
	r.request.Header.Set("Expect", "100-continue")
	var text bytes.Buffer
	if err := r.request.Write(&text); err != nil {
		t.Fatal(err)
	}
	const blank = "\r\n\r\n"
	end := bytes.Index(text.Bytes(), []byte(blank)) + len(blank)
	send := func(part []byte) {
		if _, err := r.conn.Write(part); err != nil {
			t.Fatalf("send a run: %v", err)
		}
	}
	send(text.Bytes()[:end])
	response, err := http.ReadResponse(r.reader, r.request) //nolint:bodyclose // it has none
	if err != nil || response.StatusCode != http.StatusContinue {
		t.Fatalf("the server did not ask for the body: %v, %v", response, err)
	}
	return func() { send(text.Bytes()[end:]) }
}

// answer reads the whole answer. Its status is 0 if none came.
func (r *wireRun) answer() harness.Answer {
	response, err := r.checked.RoundTrip(r.request)
	if err != nil {
		return harness.Answer{Body: []byte(err.Error())}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return harness.Answer{Body: []byte(err.Error())}
	}
	return harness.Answer{Status: response.StatusCode, Header: response.Header, Body: body}
}

// open reads the head of the answer, which must be a stream.
func (r *wireRun) open(t *testing.T) {
	t.Helper()
	response, err := r.checked.RoundTrip(r.request)
	if err != nil {
		t.Fatalf("read the head of a stream: %v", err)
	}
	t.Cleanup(func() { _ = response.Body.Close() }) // Its connection is closed too.
	if response.StatusCode != http.StatusOK {
		t.Fatalf("the answer is %s", response.Status)
	}
	r.response, r.body = response, bufio.NewReader(response.Body)
}

// id returns the id of the run.
func (r *wireRun) id() string { return r.response.Header.Get("X-Run-Id") }

// next adds the next event to the transcript and returns its type.
func (r *wireRun) next(t *testing.T, told *transcript) string {
	t.Helper()
	for {
		text, err := r.body.ReadString('\n')
		if err != nil {
			t.Fatalf("read the stream after %v: %v", told.types, err)
		}
		if data, ok := strings.CutPrefix(text, "data: "); ok {
			return told.add(t, strings.TrimSuffix(data, "\n"))
		}
	}
}

// until reads events up to one of the type.
func (r *wireRun) until(t *testing.T, eventType string) *transcript {
	t.Helper()
	told := &transcript{}
	for r.next(t, told) != eventType {
		continue
	}
	return told
}

// ends reads the rest of the connection, and fails if it stays open.
func (r *wireRun) ends(t *testing.T, limit time.Duration) {
	t.Helper()
	if err := r.conn.SetReadDeadline(time.Now().Add(limit)); err != nil {
		t.Fatal(err)
	}
	_, err := io.Copy(io.Discard, r.conn)
	var network net.Error
	if errors.As(err, &network) && network.Timeout() {
		t.Errorf("the server did not close the connection within %s", limit)
	}
}

// A disconnection is a way in which a client disconnects.
type disconnection struct {
	name       string
	disconnect func(r *wireRun) error
}

func disconnections() []disconnection {
	return []disconnection{
		{"closed", func(r *wireRun) error { return r.conn.Close() }},
		{"reset", func(r *wireRun) error {
			return errors.Join(r.conn.SetLinger(0), r.conn.Close())
		}},
		{"half closed", func(r *wireRun) error { return r.conn.CloseWrite() }},
	}
}

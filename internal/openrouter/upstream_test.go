package openrouter_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/openrouter"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	key      = "sk-or-v1-4f1d0000secret"
	question = "what is the capital of the secret country"
	// said is in every error text of upstream.
	said = "zebra"
)

// upstream starts a provider on the loopback interface.
func upstream(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

// client returns a client of the provider at url, with options that change edits.
func client(t *testing.T, url string, change ...func(*openrouter.Options)) *openrouter.Client {
	t.Helper()
	options := openrouter.Options{BaseURL: url, Key: key, Model: "test/model"}
	for _, c := range change {
		c(&options)
	}
	made, err := openrouter.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(made.CloseIdle)
	return made
}

func asked() chat.ModelRequest {
	return chat.ModelRequest{Messages: []chat.Message{{Role: chat.RoleUser, Content: question}}}
}

// got is the content of an answer.
type got struct {
	text string
	// calls are joined from their deltas; details are those of all chunks.
	reasoning string
	details   []json.RawMessage
	calls     []chat.ToolCall
	finish    string
	usage     *chat.Usage
	model     string
	id        string
	sources   []chat.Annotation
	chunks    int
	refused   bool // by Stream, before any chunk
	err       error
}

// ask reads an answer to its end. err is nil if the answer is complete.
func ask(ctx context.Context, t *testing.T, c *openrouter.Client) got {
	t.Helper()
	stream, err := c.Stream(ctx, asked())
	if err != nil {
		checkSafe(t, err)
		return got{refused: true, err: err}
	}
	result := read(t, stream)
	if err := stream.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	return result
}

// next returns the next chunk of the stream.
func next(stream chat.ModelStream) (chunk chat.Chunk, err error) {
	err = stream.Next(&chunk)
	return chunk, err
}

func read(t *testing.T, stream chat.ModelStream) got {
	t.Helper()
	var result got
	for {
		chunk, err := next(stream)
		if errors.Is(err, io.EOF) {
			return result
		}
		if err != nil {
			checkSafe(t, err)
			result.err = err
			return result
		}
		result.add(t, chunk)
	}
}

func (g *got) add(t *testing.T, chunk chat.Chunk) {
	t.Helper()
	g.chunks++
	g.text += chunk.Text
	g.sources = append(g.sources, chunk.Annotations...)
	g.reasoning += chunk.Reasoning
	g.addCalls(t, chunk.Calls)
	if chunk.ReasoningDetails != nil {
		var details []json.RawMessage
		if err := json.Unmarshal(chunk.ReasoningDetails, &details); err != nil {
			t.Errorf("details %s: %v", chunk.ReasoningDetails, err)
		}
		g.details = append(g.details, details...)
	}
	if chunk.FinishReason != "" {
		if g.finish != "" {
			t.Errorf("finish reason %q after %q: it comes once", chunk.FinishReason, g.finish)
		}
		g.finish = chunk.FinishReason
	}
	if chunk.Usage != nil {
		g.usage = chunk.Usage
	}
	g.model += chunk.Model
	g.id += chunk.UpstreamID
}

// addCalls joins the deltas of calls, and checks them against the rules of
// chat.ToolCallDelta.
func (g *got) addCalls(t *testing.T, pieces []chat.ToolCallDelta) {
	t.Helper()
	for _, piece := range pieces {
		if piece.Index == len(g.calls) {
			g.calls = append(g.calls, chat.ToolCall{ID: piece.ID, Name: piece.Name, Arguments: piece.Arguments})
			if piece.ID == "" || piece.Name == "" {
				t.Errorf("the first piece of a call is %+v", piece)
			}
			continue
		}
		if piece.Index < 0 || piece.Index > len(g.calls) || piece.ID != "" || piece.Name != "" || piece.Arguments == "" {
			t.Errorf("after %d calls began there came %+v", len(g.calls), piece)
			continue
		}
		g.calls[piece.Index].Arguments += piece.Arguments
	}
}

// checkSafe checks that an error has no secret, no message and no text of upstream.
func checkSafe(t *testing.T, err error) {
	t.Helper()
	for e := err; e != nil; e = errors.Unwrap(e) {
		for _, secret := range []string{key, "secret", question, said} {
			if strings.Contains(strings.ToLower(e.Error()), secret) {
				t.Errorf("error tells %q: %v", secret, e)
			}
		}
	}
}

// checkFailure checks that err is an UpstreamError with the kind and the status.
func checkFailure(t *testing.T, err error, kind chat.UpstreamKind, status int) {
	t.Helper()
	failed := failureOf(t, err)
	if failed.Kind != kind || failed.Status != status {
		t.Errorf("failure is %q, status %d (%v); want %q, status %d", failed.Kind, failed.Status, err, kind, status)
	}
}

func failureOf(t *testing.T, err error) *chat.UpstreamError {
	t.Helper()
	var failed *chat.UpstreamError
	if !errors.As(err, &failed) {
		t.Fatalf("error %v is no UpstreamError", err)
	}
	checkSafe(t, err)
	return failed
}

// pipes is a listener whose connections are in memory, for tests that run on
// synctest's clock.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (*pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.conns <- far:
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// inMemory starts a provider for use inside a synctest bubble, and a client of
// it. Both end with the returned function.
func inMemory(t *testing.T, handler http.HandlerFunc, change ...func(*openrouter.Options)) (*openrouter.Client, func()) {
	t.Helper()
	listener := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Hour}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	inside := func(o *openrouter.Options) { o.Dial = listener.dial }
	change = append([]func(*openrouter.Options){inside}, change...)
	c := client(t, "http://upstream.test/v1", change...)
	return c, func() {
		c.CloseIdle()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}
}

// quiet turns off the log of a server whose errors are expected.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// send writes and flushes a text.
func send(t *testing.T, w http.ResponseWriter, text string) {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Logf("the client has gone: %v", err)
	}
	if err := http.NewResponseController(w).Flush(); err != nil {
		t.Logf("the client has gone: %v", err)
	}
}

const (
	comment   = ": OPENROUTER PROCESSING\n\n"
	textEvent = `data: {"id":"gen-1","model":"m","choices":[{"index":0,"delta":{"content":"word "},"finish_reason":null}]}` + "\n\n"
	stopEvent = `data: {"id":"gen-1","model":"m","choices":[{"index":0,"delta":{"content":""},"finish_reason":"stop"}]}` + "\n\n"
	doneEvent = "data: [DONE]\n\n"
)

package mcp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// streamRetries is how often the library resumes the stream of one call that
// brings nothing new. More than fifty would overflow its pauses.
const streamRetries = 40

const (
	sessionHeader     = "Mcp-Session-Id"
	lastEventIDHeader = "Last-Event-ID"
)

// httpTransport is a server behind a URL. As a RoundTripper it adds the
// headers, bounds and repairs what the server sends, and ends all requests at
// once.
//
// The library closes the whole connection for many an answer that concerns one
// request alone. Such answers become errors of that request here.
type httpTransport struct {
	url      string
	headers  map[string]string
	base     *http.Transport
	sanitize *sanitizer
	log      *outputLog
	life     context.Context //nolint:containedctx // outlives each request, and ends them
	end      context.CancelFunc
}

func newHTTPTransport(s *server) *httpTransport {
	t := &httpTransport{
		url: s.URL, headers: s.Headers, base: http.DefaultTransport.(*http.Transport).Clone(),
		sanitize: s.sanitize, log: newOutputLog(s.logger, s.redact, "event stream"),
	}
	t.life, t.end = context.WithCancel(context.Background())
	return t
}

var errRedirect = errors.New("the server redirects elsewhere; set the URL that it leads to")

func (t *httpTransport) transport() sdk.Transport {
	client := &http.Client{
		Transport: t,
		// The headers are for this server alone.
		CheckRedirect: func(*http.Request, []*http.Request) error { return errRedirect },
	}
	return &sdk.StreamableClientTransport{Endpoint: t.url, HTTPClient: client, MaxRetries: streamRetries, MaxEventSize: -1}
}

func (t *httpTransport) cut() {
	t.end()
	t.base.CloseIdleConnections()
}

func (t *httpTransport) lastOutput() string { return t.log.lastLine() }

// RoundTrip implements [http.RoundTripper].
func (t *httpTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	switch {
	case request.Method == http.MethodPost:
		return t.post(request)
	case request.Method == http.MethodGet && request.Header.Get(lastEventIDHeader) == "":
		return t.notices(request), nil
	case request.Method == http.MethodGet:
		return t.resume(request)
	default:
		return t.send(request)
	}
}

// send sends a request with the headers. The request ends when its answer's
// body is closed, and with the transport.
func (t *httpTransport) send(request *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(request.Context())
	release := context.AfterFunc(t.life, cancel)
	end := func() {
		release()
		cancel()
	}
	request = request.Clone(ctx)
	for name, value := range t.headers {
		request.Header.Set(name, value)
	}
	response, err := t.base.RoundTrip(request)
	if err != nil {
		end()
		return nil, err
	}
	response.Body = &body{response.Body, response.Body, end}
	return response, nil
}

// post sends a message.
func (t *httpTransport) post(request *http.Request) (*http.Response, error) {
	response, err := t.send(request)
	switch {
	case err != nil:
		return nil, err
	case response.StatusCode >= http.StatusBadRequest:
		return refusal(request, response)
	case response.StatusCode >= http.StatusMultipleChoices || !isCall(request):
		return response, nil
	}
	switch kind := mediaType(response); kind {
	case eventStream:
		t.repairEvents(response)
		return response, nil
	case "application/json":
		return t.repairJSON(response)
	default:
		_ = response.Body.Close()
		return nil, wrongType(response.StatusCode, kind)
	}
}

func (t *httpTransport) repairEvents(response *http.Response) {
	response.Body = &body{newCallReader(response.Body, t.sanitize, t.log), response.Body, func() {}}
}

func (t *httpTransport) repairJSON(response *http.Response) (*http.Response, error) {
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(response.Body, maxMessage))
	if err != nil {
		return nil, err
	}
	message, err := t.sanitize.message(raw)
	if err != nil {
		return nil, notMessage(err)
	}
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(message)), int64(len(message))
	return response, nil
}

// isCall reports whether a request is a JSON-RPC call, which wants an answer.
func isCall(request *http.Request) bool {
	if request.GetBody == nil {
		return false
	}
	content, err := request.GetBody()
	if err != nil {
		return false
	}
	raw, err := io.ReadAll(content)
	if err != nil {
		return false
	}
	message, err := jsonrpc.DecodeMessage(raw)
	call, ok := message.(*jsonrpc.Request)
	return err == nil && ok && call.IsCall()
}

const eventStream = "text/event-stream"

func mediaType(response *http.Response) string {
	kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return kind
}

// body is an answer's body that ends its request when it is closed.
type body struct {
	io.Reader

	source io.Closer
	end    func()
}

// Close implements [io.Closer].
func (b *body) Close() error {
	b.end()
	return b.source.Close()
}

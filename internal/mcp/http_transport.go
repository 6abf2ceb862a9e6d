package mcp

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"sync/atomic"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	// streamPatience is how long a server may take to open the stream of its
	// notices; one that never does is taken to have none.
	streamPatience = 5 * time.Second
	// streamRetries is how often that stream is opened anew before the whole
	// connection is given up; looks at the tools find a dead server sooner.
	streamRetries = 100
	// maxAnswer bounds an answer that is no stream, in bytes; the library
	// bounds the events of a stream.
	maxAnswer = 16 << 20
)

// door is a server behind a URL. As a RoundTripper it adds the headers, bounds
// what the library leaves unbounded, and lets everything be ended at once.
type httpTransport struct {
	url     string
	headers map[string]string
	base    *http.Transport
	life    context.Context //nolint:containedctx // outlives each request, and ends them
	end     context.CancelFunc
}

func newHTTPTransport(s *server) *httpTransport {
	d := &httpTransport{url: s.URL, headers: s.Headers, base: http.DefaultTransport.(*http.Transport).Clone()}
	d.life, d.end = context.WithCancel(context.Background())
	return d
}

var errRedirect = errors.New("the server redirects elsewhere; set the URL that it leads to")

func (d *httpTransport) transport() sdk.Transport {
	client := &http.Client{
		Transport: d,
		// The headers are for this server alone.
		CheckRedirect: func(*http.Request, []*http.Request) error { return errRedirect },
	}
	return &sdk.StreamableClientTransport{Endpoint: d.url, HTTPClient: client, MaxRetries: streamRetries}
}

func (d *httpTransport) cut() {
	d.end()
	d.base.CloseIdleConnections()
}

func (d *httpTransport) lastStderrLine() string { return "" }

// RoundTrip implements [http.RoundTripper].
func (d *httpTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(request.Context())
	release := context.AfterFunc(d.life, cancel)
	end := func() {
		release()
		cancel()
	}
	var late atomic.Bool
	if request.Method == http.MethodGet {
		opening := time.AfterFunc(streamPatience, func() {
			late.Store(true)
			cancel()
		})
		defer opening.Stop()
	}
	request = request.Clone(ctx)
	for name, value := range d.headers {
		request.Header.Set(name, value)
	}
	response, err := d.base.RoundTrip(request)
	if err != nil {
		end()
		if late.Load() && d.life.Err() == nil {
			return noStream(request), nil
		}
		return nil, err
	}
	body := io.Reader(response.Body)
	if !isEventStream(response) {
		body = io.LimitReader(body, maxAnswer)
	}
	response.Body = &answer{body, response.Body, end}
	return response, nil
}

// noStream is the answer of a server that has no stream of notices.
func noStream(request *http.Request) *http.Response {
	return &http.Response{
		StatusCode: http.StatusMethodNotAllowed, Status: http.StatusText(http.StatusMethodNotAllowed),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: http.NoBody, Request: request,
	}
}

func isEventStream(response *http.Response) bool {
	kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	return err == nil && kind == "text/event-stream"
}

// answer is a body that ends its request when it is closed.
type answer struct {
	io.Reader

	body io.Closer
	end  func()
}

// Close implements [io.Closer].
func (a *answer) Close() error {
	a.end()
	return a.body.Close()
}

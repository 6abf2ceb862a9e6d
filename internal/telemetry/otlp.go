package telemetry

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

const (
	// exportTries is the number of tries for a batch that the collector is too busy
	// for, and exportPause the wait before the second one.
	exportTries = 3
	exportPause = time.Second
	// maxResponseBytes bounds what is read of a response.
	maxResponseBytes = 64 << 10
)

// collector sends batches of spans as OTLP over HTTP (opentelemetry.io/docs/specs/otlp,
// "OTLP/HTTP"). The library's client would add gRPC, five megabytes, to the program.
type collector struct {
	endpoint string
	headers  map[string]string
	gzip     bool
	timeout  time.Duration
	client   *http.Client
}

var _ otlptrace.Client = (*collector)(nil)

func newCollector(o TracingOptions) *collector {
	return &collector{
		endpoint: o.Endpoint, headers: o.Headers, gzip: o.Gzip, timeout: o.Timeout,
		client: &http.Client{
			Transport: &http.Transport{
				Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConns: 1, IdleConnTimeout: time.Minute,
				TLSClientConfig: tlsConfig(o),
			},
			// A redirect could carry the headers to another host.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

func tlsConfig(o TracingOptions) *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.Authorities}
	if o.Client != nil {
		config.Certificates = []tls.Certificate{*o.Client}
	}
	return config
}

// CheckCollector sends an empty batch to the collector.
func CheckCollector(ctx context.Context, o TracingOptions) error {
	c := newCollector(o)
	defer c.client.CloseIdleConnections()
	_, err := c.post(ctx, nil)
	return err
}

// Start implements [otlptrace.Client].
func (c *collector) Start(context.Context) error { return nil }

// Stop implements [otlptrace.Client].
func (c *collector) Stop(context.Context) error {
	c.client.CloseIdleConnections()
	return nil
}

// UploadTraces implements [otlptrace.Client].
func (c *collector) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	// This has the same encoding as the request type of the protocol.
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return errors.New("a batch of spans could not be encoded")
	}
	if c.gzip {
		body = compress(body)
	}
	for try := 1; ; try++ {
		wait, err := c.post(ctx, body)
		if err == nil || wait == 0 || try == exportTries {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait * time.Duration(try)):
		}
	}
}

// post sends a batch once. With an error it returns the time to wait before another
// try, or zero if another try is useless.
func (c *collector) post(ctx context.Context, body []byte) (time.Duration, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint, bytes.NewReader(body))
	if err != nil {
		return 0, errors.New("the endpoint is not a URL")
	}
	for name, value := range c.headers {
		request.Header.Set(name, value)
	}
	request.Header.Set("User-Agent", "chatkit-rest")
	request.Header.Set("Content-Type", "application/x-protobuf")
	if c.gzip {
		request.Header.Set("Content-Encoding", "gzip")
	}
	response, err := c.client.Do(request)
	if err != nil {
		if cause, ok := errors.AsType[*url.Error](err); ok {
			err = cause.Err // without the URL
		}
		return exportPause, fmt.Errorf("send a batch of spans: %w", err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxResponseBytes)) // so that the connection can be reused
	switch response.StatusCode {
	case http.StatusOK, http.StatusAccepted, http.StatusNoContent:
		return 0, nil
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return retryAfter(response.Header), fmt.Errorf("the collector is busy: status %d", response.StatusCode)
	default:
		return 0, fmt.Errorf("the collector rejected a batch of spans: status %d", response.StatusCode)
	}
}

func retryAfter(header http.Header) time.Duration {
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	if err != nil || seconds < 1 {
		return exportPause
	}
	return time.Duration(seconds) * time.Second
}

func compress(body []byte) []byte {
	var buffer bytes.Buffer
	writer := gzip.NewWriter(&buffer)
	_, _ = writer.Write(body) // Writing to a buffer does not fail.
	_ = writer.Close()
	return buffer.Bytes()
}

// Package openrouter implements [chat.Model] on the OpenAI-compatible chat
// completions API of OpenRouter and others.
//
// See https://openrouter.ai/docs/api/reference (overview, streaming, errors).
package openrouter

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// Client is a client of one provider. It is safe for concurrent use.
type Client struct {
	options   Options
	transport *http.Transport
}

var _ chat.Model = (*Client)(nil)

// New returns a Client and opens no connection. An error names the invalid option.
func New(options Options) (*Client, error) {
	options, err := options.complete()
	if err != nil {
		return nil, err
	}
	return &Client{options: options, transport: newTransport(options.Dial)}, nil
}

// CloseIdle closes the connections that no answer uses.
func (c *Client) CloseIdle() { c.transport.CloseIdleConnections() }

// Stream implements [chat.Model]. It tries again up to twice if a request failed
// without cost (no connection, 429, 503, and 402 with Retry-After) and the wait is
// within two seconds and the first-byte timeout.
func (c *Client) Stream(ctx context.Context, req chat.ModelRequest) (chat.ModelStream, error) {
	if req.Model == "" {
		req.Model = c.options.Model
	}
	body, err := requestBody(req, &c.options)
	if err != nil {
		return nil, &chat.UpstreamError{Kind: chat.UpstreamBadRequest, Err: errRequest}
	}
	call, cancel := context.WithCancelCause(ctx)
	firstByte := time.AfterFunc(c.options.FirstByteTimeout, func() { cancel(errFirstByte) })
	convert := func(err error) error { return convertError(ctx, call, err) }

	resp, err := c.connect(call, body, time.Now().Add(c.options.FirstByteTimeout)) //nolint:bodyclose // the stream closes it
	if err != nil {
		firstByte.Stop()
		err = convert(err)
		cancel(nil)
		return nil, err
	}
	response := newStream(resp.Body, firstByte, c.options.IdleTimeout, cancel, convert)
	if err := response.answer.open(); err != nil {
		_ = response.Close()
		return nil, err
	}
	return response, nil
}

// connect sends the request until it succeeds or must not be tried again.
func (c *Client) connect(ctx context.Context, body []byte, until time.Time) (*http.Response, error) {
	for try := 0; ; try++ {
		resp, failed := c.post(ctx, "chat/completions", body)
		if failed == nil {
			return resp, nil
		}
		wait, again := failed.retryWait(try)
		if !again || time.Now().Add(wait).After(until) || sleep(ctx, wait) != nil {
			return nil, failed
		}
	}
}

// convertError returns the error that a caller gets for err: the error of ctx if
// that has ended, an UpstreamError if a timeout of call has passed, or else err
// without the failure around it.
func convertError(ctx, call context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if cause := context.Cause(call); errors.Is(cause, errFirstByte) || errors.Is(cause, errIdle) {
		return &chat.UpstreamError{Kind: chat.UpstreamTimeout, Err: cause}
	}
	if failed, ok := errors.AsType[*failure](err); ok {
		return failed.upstream
	}
	return err
}

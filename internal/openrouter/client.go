// Package openrouter is a [chat.Model] on the OpenAI-compatible chat
// completions API, as OpenRouter and many others offer it.
//
// See https://openrouter.ai/docs/api/reference (overview, streaming, errors) for
// what upstream promises.
package openrouter

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// Client asks one provider. It is safe for concurrent use.
type Client struct {
	options   Options
	transport *http.Transport
}

var _ chat.Model = (*Client)(nil)

// New makes a Client. It returns an error that names the option at fault, and
// opens no connection.
func New(options Options) (*Client, error) {
	options, err := options.complete()
	if err != nil {
		return nil, err
	}
	return &Client{options: options, transport: newTransport(options.Dial)}, nil
}

// CloseIdle closes the connections that no answer uses.
func (c *Client) CloseIdle() { c.transport.CloseIdleConnections() }

// Stream implements [chat.Model]. What was refused without cost (no
// connection, 429, 503, and 402 where upstream says when to come back) is
// tried again up to twice, if that is within two seconds and the first-byte
// time-out.
func (c *Client) Stream(ctx context.Context, req chat.ModelRequest) (chat.ModelStream, error) {
	if req.Model == "" {
		req.Model = c.options.Model
	}
	body, err := requestBody(req, &c.options)
	if err != nil {
		return nil, &chat.UpstreamError{Kind: chat.UpstreamBadRequest, Err: errRequest}
	}
	call, cancel := context.WithCancelCause(ctx)
	patience := time.AfterFunc(c.options.FirstByteTimeout, func() { cancel(errFirstByte) })
	why := func(err error) error { return reason(ctx, call, err) }

	resp, err := c.connect(call, body, time.Now().Add(c.options.FirstByteTimeout)) //nolint:bodyclose // the stream closes it
	if err != nil {
		patience.Stop()
		err = why(err)
		cancel(nil)
		return nil, err
	}
	answered := newStream(resp.Body, patience, c.options.IdleTimeout, cancel, why)
	if err := answered.answer.open(); err != nil {
		_ = answered.Close()
		return nil, err
	}
	return answered, nil
}

// connect asks until there is an answer to read, or no try is left.
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

// reason is what a failure, or an UpstreamError, is told as. Whether ctx ended
// or a time-out passed counts before what the connection then said.
func reason(ctx, call context.Context, err error) error {
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

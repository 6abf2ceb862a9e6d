package openrouter

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// post sends a JSON body and asks for a stream.
func (c *Client) post(ctx context.Context, path string, body []byte) (*http.Response, *failure) {
	return c.do(ctx, http.MethodPost, path, body)
}

// do sends a request once. It returns a response of status 2xx, whose body the caller
// must close, or a failure without text from upstream. It uses the transport instead
// of an http.Client, which would follow a redirect and so could send the key and the
// messages to another host.
func (c *Client) do(ctx context.Context, method, path string, body []byte) (*http.Response, *failure) {
	req, err := c.newRequest(ctx, method, path, body)
	if err != nil {
		return nil, &failure{&chat.UpstreamError{Kind: chat.UpstreamBadRequest, Err: errRequest}, false}
	}
	sent := wrapBody(req)
	resp, err := c.transport.RoundTrip(req)
	sent.release()
	if err != nil {
		return nil, unreachable(err)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		discard(resp.Body)
		return nil, refusal(resp.StatusCode, resp.Header)
	}
	content, failed := decodeBody(resp.Body, resp.Header.Get("Content-Encoding"))
	if failed != nil {
		_ = resp.Body.Close() // It cannot be read.
		return nil, &failure{failed, false}
	}
	resp.Body = content
	return resp, nil
}

// newRequest builds a request with the headers of the options. A nil body sends
// none.
func (c *Client) newRequest(ctx context.Context, method, path string, body []byte) (*http.Request, error) {
	var content io.Reader
	if body != nil {
		content = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.options.BaseURL, "/")+"/"+path, content)
	if err != nil {
		return nil, err
	}
	header := map[string]string{
		"Accept": "application/json", "User-Agent": c.options.UserAgent,
		"HTTP-Referer": c.options.SiteURL, "X-Title": c.options.AppName,
	}
	if body != nil {
		header["Accept"], header["Content-Type"] = "text/event-stream", "application/json"
	}
	if c.options.Key != "" {
		header["Authorization"] = "Bearer " + c.options.Key
	}
	for name, value := range header {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	return req, nil
}

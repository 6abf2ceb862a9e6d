package openrouter

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// maxKeyAnswer bounds what is read of an answer about the key; a list of all
// models is longer, and need not be read to its end.
const maxKeyAnswer = 64 << 10

var errSpent = errors.New("the key's own credit limit is used up; raise it at the provider")

// CheckKey asks whether upstream takes the key: OpenRouter's GET /key, or GET
// /models at a provider that has no such path.
//
// Returns an *chat.UpstreamError that says what is wrong: credentials, payment
// (no credit left), unreachable, or bad request and broken where the base URL
// is not that of such an API.
func (c *Client) CheckKey(ctx context.Context) error {
	call, cancel := context.WithTimeoutCause(ctx, c.options.FirstByteTimeout, errFirstByte)
	defer cancel()
	err := c.checkKey(call)
	if err != nil {
		return reason(ctx, call, err)
	}
	return nil
}

func (c *Client) checkKey(ctx context.Context) error {
	answer, err := c.get(ctx, "key")
	var failed *failure
	if errors.As(err, &failed) && (failed.upstream.Status == http.StatusNotFound ||
		failed.upstream.Status == http.StatusMethodNotAllowed) {
		_, err = c.get(ctx, "models")
	}
	if errors.As(err, &failed) && failed.upstream.Status == http.StatusForbidden {
		// There is no content here that could have been refused.
		failed.upstream.Kind = chat.UpstreamCredentials
	}
	if err != nil {
		return err
	}
	var state struct {
		Data struct {
			LimitRemaining *float64 `json:"limit_remaining"`
		} `json:"data"`
	}
	if json.Unmarshal(answer, &state) == nil && state.Data.LimitRemaining != nil && *state.Data.LimitRemaining <= 0 {
		return &chat.UpstreamError{Kind: chat.UpstreamPayment, Err: errSpent}
	}
	return nil
}

// get returns the beginning of a JSON answer.
func (c *Client) get(ctx context.Context, path string) ([]byte, error) {
	var resp *http.Response
	if err := c.api.Get(ctx, path, nil, &resp); err != nil {
		return nil, asFailure(err)
	}
	defer discard(resp.Body)
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxKeyAnswer))
	if err != nil {
		return nil, broken(errCut)
	}
	answer = bytes.TrimLeft(answer, whiteSpace+byteOrderMark)
	if len(answer) == 0 || (answer[0] != '{' && answer[0] != '[') {
		return nil, broken(errNotProtocol)
	}
	return answer, nil
}

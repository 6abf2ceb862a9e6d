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

// maxKeyAnswer bounds what is read of a response. A list of models is longer, but the
// beginning is enough to check the key.
const maxKeyAnswer = 64 << 10

var errSpent = errors.New("the key's own credit limit is used up; raise it at the provider")

// KeyState is the state of a valid key. It is empty if the provider has no
// information about its keys.
type KeyState struct {
	// Known reports whether the provider has the information.
	Known bool
	// Limit and Remaining are in credits. They are nil if the key has no limit of
	// its own.
	Limit     *float64
	Remaining *float64
}

// CheckKey checks that upstream accepts the key, with OpenRouter's GET /key, or with
// GET /models at a provider without that path.
//
// The kind of a returned *chat.UpstreamError says what is wrong: credentials, payment
// (no credit left) or unreachable, and bad request or broken if the base URL is not
// that of such an API.
func (c *Client) CheckKey(ctx context.Context) (KeyState, error) {
	call, cancel := context.WithTimeoutCause(ctx, c.options.FirstByteTimeout, errFirstByte)
	defer cancel()
	state, err := c.checkKey(call)
	if err != nil {
		return KeyState{}, convertError(ctx, call, err)
	}
	return state, nil
}

func (c *Client) checkKey(ctx context.Context) (KeyState, error) {
	known := true
	answer, err := c.get(ctx, "key", maxKeyAnswer)
	if isMissing(err) {
		known = false
		answer, err = c.get(ctx, "models", maxKeyAnswer)
	}
	if failed, ok := errors.AsType[*failure](err); ok && failed.upstream.Status == http.StatusForbidden {
		// The request has no content that could be refused, so the key is.
		failed.upstream.Kind = chat.UpstreamCredentials
	}
	if err != nil {
		return KeyState{}, err
	}
	var state struct {
		Data struct {
			Limit          *float64 `json:"limit"`
			LimitRemaining *float64 `json:"limit_remaining"`
		} `json:"data"`
	}
	if known {
		known = json.Unmarshal(answer, &state) == nil
	}
	if !known {
		return KeyState{}, nil
	}
	if state.Data.LimitRemaining != nil && *state.Data.LimitRemaining <= 0 {
		return KeyState{}, &chat.UpstreamError{Kind: chat.UpstreamPayment, Err: errSpent}
	}
	return KeyState{Known: true, Limit: state.Data.Limit, Remaining: state.Data.LimitRemaining}, nil
}

// isMissing reports whether upstream does not have the path.
func isMissing(err error) bool {
	failed, ok := errors.AsType[*failure](err)
	return ok && (failed.upstream.Status == http.StatusNotFound || failed.upstream.Status == http.StatusMethodNotAllowed)
}

// get returns at most the first bytes of a JSON response.
func (c *Client) get(ctx context.Context, path string, limit int64) ([]byte, error) {
	resp, failed := c.do(ctx, http.MethodGet, path, nil) //nolint:bodyclose // discard closes it
	if failed != nil {
		return nil, failed
	}
	defer discard(resp.Body)
	answer, err := io.ReadAll(io.LimitReader(resp.Body, limit))
	if isUpstreamError(err) {
		return nil, err
	}
	if err != nil {
		return nil, broken(errCut)
	}
	answer = bytes.TrimLeft(answer, whiteSpace+byteOrderMark)
	if len(answer) == 0 || (answer[0] != '{' && answer[0] != '[') {
		return nil, broken(errNotProtocol)
	}
	return answer, nil
}

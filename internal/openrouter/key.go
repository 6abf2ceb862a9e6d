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

// KeyState is what upstream says of a key that it takes. It is empty at a
// provider that says nothing of its keys.
type KeyState struct {
	// Told says whether upstream has said anything.
	Told bool
	// Limit and Remaining are in credits; nil where the key has no limit of
	// its own.
	Limit     *float64
	Remaining *float64
}

// CheckKey asks whether upstream takes the key: OpenRouter's GET /key, or GET
// /models at a provider that has no such path.
//
// Returns an *chat.UpstreamError that says what is wrong: credentials, payment
// (no credit left), unreachable, or bad request and broken where the base URL
// is not that of such an API.
func (c *Client) CheckKey(ctx context.Context) (KeyState, error) {
	call, cancel := context.WithTimeoutCause(ctx, c.options.FirstByteTimeout, errFirstByte)
	defer cancel()
	state, err := c.checkKey(call)
	if err != nil {
		return KeyState{}, reason(ctx, call, err)
	}
	return state, nil
}

func (c *Client) checkKey(ctx context.Context) (KeyState, error) {
	told := true
	answer, err := c.get(ctx, "key", maxKeyAnswer)
	if isMissing(err) {
		told = false
		answer, err = c.get(ctx, "models", maxKeyAnswer)
	}
	if failed, ok := errors.AsType[*failure](err); ok && failed.upstream.Status == http.StatusForbidden {
		// There is no content here that could have been refused.
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
	if told {
		told = json.Unmarshal(answer, &state) == nil
	}
	if !told {
		return KeyState{}, nil
	}
	if state.Data.LimitRemaining != nil && *state.Data.LimitRemaining <= 0 {
		return KeyState{}, &chat.UpstreamError{Kind: chat.UpstreamPayment, Err: errSpent}
	}
	return KeyState{Told: true, Limit: state.Data.Limit, Remaining: state.Data.LimitRemaining}, nil
}

// isMissing says whether upstream has no such path.
func isMissing(err error) bool {
	failed, ok := errors.AsType[*failure](err)
	return ok && (failed.upstream.Status == http.StatusNotFound || failed.upstream.Status == http.StatusMethodNotAllowed)
}

// get returns the beginning of a JSON answer.
func (c *Client) get(ctx context.Context, path string, most int64) ([]byte, error) {
	resp, failed := c.do(ctx, http.MethodGet, path, nil) //nolint:bodyclose // discard closes it
	if failed != nil {
		return nil, failed
	}
	defer discard(resp.Body)
	answer, err := io.ReadAll(io.LimitReader(resp.Body, most))
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

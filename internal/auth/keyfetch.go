package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

const (
	// fetchTimeout bounds a whole fetch, and so what a request waits for it.
	fetchTimeout = 3 * time.Second
	// maxKeySetBytes is the longest answer read; large identity servers send
	// some twenty thousand.
	maxKeySetBytes = 1 << 20
	maxHeaderBytes = 64 << 10
)

// newKeyClient makes a client that goes where it is sent and nowhere else: a
// redirect could lead away from https.
func newKeyClient(transport http.RoundTripper) *http.Client {
	if transport == nil {
		// A connection every few minutes need not be kept.
		transport = &http.Transport{
			Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true,
			ForceAttemptHTTP2: true, MaxResponseHeaderBytes: maxHeaderBytes,
		}
	}

	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return errors.New("it redirects; set JWKS_URL to where it leads")
	}}
}

// fetchKeys gets the keys at a URL. The error does not hold the URL, which may
// have a key of its own in a parameter.
func fetchKeys(ctx context.Context, client *http.Client, from string) ([]Key, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()

	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from, http.NoBody) //nolint:gosec // the operator's own URL
	if err != nil {
		return nil, errors.New("the URL cannot be used")
	}

	request.Header.Set("Accept", "application/jwk-set+json, application/json")

	response, err := client.Do(request) //nolint:gosec // as above
	if err != nil {
		return nil, withoutURL(err)
	}

	defer response.Body.Close()

	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer has the status %d", response.StatusCode)
	}

	text, err := io.ReadAll(io.LimitReader(response.Body, maxKeySetBytes+1))
	if err != nil {
		return nil, fmt.Errorf("the answer broke off: %w", err)
	}

	if len(text) > maxKeySetBytes {
		return nil, fmt.Errorf("the answer is longer than %d bytes", maxKeySetBytes)
	}

	return parseKeySet(text)
}

func withoutURL(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %s", fetchTimeout)
	}

	if outer, ok := errors.AsType[*url.Error](err); ok {
		return outer.Err
	}

	return err
}

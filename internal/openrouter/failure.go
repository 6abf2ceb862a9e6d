package openrouter

import (
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// The causes of an UpstreamError. They have no text from upstream, which could
// contain the key or a message.
var (
	errFirstByte         = errors.New("no first byte in time")
	errIdle              = errors.New("no data for too long")
	errCut               = errors.New("the connection broke")
	errNoAnswer          = errors.New("the connection broke before the answer began")
	errRedirect          = errors.New("the server redirects; set OPENROUTER_BASE_URL to the final address")
	errCertificate       = errors.New("its TLS certificate was not accepted")
	errNoTLS             = errors.New("the server does not speak TLS; check the scheme of OPENROUTER_BASE_URL")
	errEmptyBody         = errors.New("the answer had no body")
	errNotProtocol       = errors.New("the answer is JSON, but not of the chat completions API; check OPENROUTER_BASE_URL")
	errHTML              = errors.New("the answer is a web page, not a stream of events; check OPENROUTER_BASE_URL and the proxies on the way")
	errBadEvent          = errors.New("an event is not valid JSON")
	errTooLong           = fmt.Errorf("an event is longer than %d MiB", maxEvent>>20)
	errUnfinished        = errors.New("the answer ended without a finish_reason")
	errTooManyCalls      = errors.New("the answer has more than 128 tool calls")
	errFinishReasonError = errors.New("the answer ended with finish_reason error")
	errErrorEvent        = errors.New("an error event without details")
	errEncoding          = errors.New("the answer has a Content-Encoding other than gzip, deflate and zstd; have the provider or proxy send it plain")
	errDecoding          = errors.New("the answer cannot be decompressed as its Content-Encoding says")
	errRequest           = errors.New("the request could not be built")
)

// notStream returns the error of a response without events, whose body begins with
// head. The error has the media type that net/http detects, and no text of the body.
func notStream(head []byte) *chat.UpstreamError {
	mediaType, _, _ := strings.Cut(http.DetectContentType(head), ";")
	return broken(fmt.Errorf("the answer is %s, not a stream of events; check OPENROUTER_BASE_URL and the proxies on the way", mediaType))
}

// failure is an UpstreamError and whether the request may be sent again, which is
// only if it cannot have cost anything.
type failure struct {
	upstream *chat.UpstreamError
	retry    bool
}

func (f *failure) Error() string { return f.upstream.Error() }
func (f *failure) Unwrap() error { return f.upstream }

func broken(cause error) *chat.UpstreamError {
	return &chat.UpstreamError{Kind: chat.UpstreamBroken, Err: cause}
}

// unreachable returns the failure of a request without a response. It keeps only
// causes that cannot contain text from upstream.
func unreachable(err error) *failure {
	cause, retry := errNoAnswer, false
	var (
		dial        *dialError
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &dial):
		cause, retry = dial, true
	case errors.As(err, &certificate):
		cause = errCertificate
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		cause = errNoTLS
	}
	return &failure{&chat.UpstreamError{Kind: chat.UpstreamUnreachable, Err: cause}, retry}
}

// refusal returns the failure of a response with a status other than 2xx.
func refusal(status int, header http.Header) *failure {
	after, ok := retryAfter(header.Get("Retry-After"))
	upstream := &chat.UpstreamError{Kind: kindOfStatus(status), Status: status, RetryAfter: after}
	if status >= 300 && status <= 399 {
		upstream.Err = errRedirect
	}
	// OpenRouter sends 402 with Retry-After if a budget becomes free by itself.
	retry := status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable ||
		(status == http.StatusPaymentRequired && ok)
	return &failure{upstream, retry}
}

// kindOfStatus returns the kind of an HTTP status, or of the number in an error
// event, which OpenRouter uses in the same way.
func kindOfStatus(status int) chat.UpstreamKind {
	switch status {
	case http.StatusUnauthorized:
		return chat.UpstreamCredentials
	case http.StatusPaymentRequired:
		return chat.UpstreamPayment
	case http.StatusForbidden:
		return chat.UpstreamRefused
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return chat.UpstreamBusy
	case http.StatusGatewayTimeout:
		return chat.UpstreamTimeout
	}
	switch {
	case status >= 500 && status <= 599:
		return chat.UpstreamBusy
	case status >= 300 && status <= 499:
		return chat.UpstreamBadRequest
	}
	return chat.UpstreamBroken
}

// maxRetryAfter bounds the Retry-After of upstream.
const maxRetryAfter = time.Hour

// retryAfter parses a Retry-After header, which has seconds or an HTTP date. It
// returns false if there is no valid one.
func retryAfter(value string) (time.Duration, bool) {
	if value == "" {
		return 0, false
	}
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		if math.IsNaN(seconds) || seconds < 0 {
			return 0, false
		}
		return time.Duration(math.Min(seconds, maxRetryAfter.Seconds()) * float64(time.Second)), true
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	return min(max(time.Until(at), 0), maxRetryAfter), true
}

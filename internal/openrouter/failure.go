package openrouter

import (
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// The causes of an UpstreamError. They hold nothing that upstream wrote, which
// could contain the key or a message.
var (
	errFirstByte   = errors.New("no first byte in time")
	errIdle        = errors.New("silent for too long")
	errCut         = errors.New("the connection broke")
	errNoAnswer    = errors.New("the connection broke before the answer began")
	errRedirect    = errors.New("redirected elsewhere; set OPENROUTER_BASE_URL to the final address")
	errCertificate = errors.New("its TLS certificate was not accepted")
	errNoTLS       = errors.New("the server does not speak TLS; check the scheme of OPENROUTER_BASE_URL")
	errEmptyBody   = errors.New("the answer had no body")
	errNotProtocol = errors.New("the answer is JSON, but not of the chat completions API; check OPENROUTER_BASE_URL")
	errHTML        = errors.New("the answer is a web page, not a stream of events; check OPENROUTER_BASE_URL and the proxies on the way")
	errBadEvent    = errors.New("an event is not valid JSON")
	errTooLong     = fmt.Errorf("an event is longer than %d MiB", maxEvent>>20)
	errUnfinished  = errors.New("the answer ended without a finish_reason")
	errTooMany     = errors.New("the answer has more than 128 tool calls")
	errSaidError   = errors.New("the answer ended with finish_reason error")
	errSaidEvent   = errors.New("an error event without details")
	errEncoding    = errors.New("the answer has a Content-Encoding other than gzip, deflate and zstd; have the provider or proxy send it plain")
	errDecoding    = errors.New("the answer cannot be decompressed as its Content-Encoding says")
	errRequest     = errors.New("the request could not be built")
)

// notStream is the failure of an answer that has no events. The kind of its first
// bytes is one of those that net/http names, and nothing of upstream's.
func notStream(kind string) *chat.UpstreamError {
	return broken(fmt.Errorf("the answer is %s, not a stream of events; check OPENROUTER_BASE_URL and the proxies on the way", kind))
}

// failure is an UpstreamError and whether the request may be sent again: only
// if it cannot have cost anything.
type failure struct {
	upstream *chat.UpstreamError
	retry    bool
}

func (f *failure) Error() string { return f.upstream.Error() }
func (f *failure) Unwrap() error { return f.upstream }

func broken(cause error) *chat.UpstreamError {
	return &chat.UpstreamError{Kind: chat.UpstreamBroken, Err: cause}
}

// unreachable is for a request that got no answer. Of the cause it keeps only
// what cannot hold upstream's text.
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

// refusal is for an answer that is not of status 2xx.
func refusal(status int, header http.Header) *failure {
	after, told := retryAfter(header.Get("Retry-After"))
	upstream := &chat.UpstreamError{Kind: kindOfStatus(status), Status: status, RetryAfter: after}
	if status >= 300 && status <= 399 {
		upstream.Err = errRedirect
	}
	// OpenRouter: a 402 with Retry-After is a budget that frees itself.
	retry := status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable ||
		(status == http.StatusPaymentRequired && told)
	return &failure{upstream, retry}
}

// kindOfStatus is of an HTTP status, or of the number in an error event,
// which OpenRouter takes from the same list.
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

// maxRetryAfter bounds what upstream may say of when to come back.
const maxRetryAfter = time.Hour

// retryAfter reads a Retry-After header: seconds or an HTTP date. It is false
// when there was none that can be read.
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

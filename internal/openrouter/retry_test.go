package openrouter_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/openrouter"
)

// refuse answers with a status and an error text.
func refuse(w http.ResponseWriter, r *http.Request, status int, after string) {
	w.Header().Set("Content-Type", "application/json")
	if after != "" {
		w.Header().Set("Retry-After", after)
	}
	w.WriteHeader(status)
	body := `{"error":{"code":` + strconv.Itoa(status) + `,"message":"zebra ` + r.Header.Get("Authorization") + `"}}`
	_, _ = io.WriteString(w, body) //nolint:gosec // no browser reads it
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	date := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	for _, want := range []struct {
		name   string
		status int
		after  func() string
		kind   chat.UpstreamKind
		wait   time.Duration
		tries  int
	}{
		{"bad request", 400, nil, chat.UpstreamBadRequest, 0, 1},
		{"credentials", 401, nil, chat.UpstreamCredentials, 0, 1},
		{"payment", 402, nil, chat.UpstreamPayment, 0, 1},
		{"payment, soon", 402, func() string { return "1" }, chat.UpstreamPayment, time.Second, 3},
		{"payment, later", 402, func() string { return "30" }, chat.UpstreamPayment, 30 * time.Second, 1},
		{"refused", 403, nil, chat.UpstreamRefused, 0, 1},
		{"no such model", 404, nil, chat.UpstreamBadRequest, 0, 1},
		{"time-out", 408, nil, chat.UpstreamBusy, 0, 1},
		{"too large", 413, nil, chat.UpstreamBadRequest, 0, 1},
		{"unprocessable", 422, nil, chat.UpstreamBadRequest, 0, 1},
		{"too many", 429, nil, chat.UpstreamBusy, 0, 3},
		{"too many, at once", 429, func() string { return "0" }, chat.UpstreamBusy, 0, 3},
		{"too many, soon", 429, func() string { return "2" }, chat.UpstreamBusy, 2 * time.Second, 3},
		{"too many, a fraction", 429, func() string { return "0.5" }, chat.UpstreamBusy, time.Second / 2, 3},
		{"too many, later", 429, func() string { return "60" }, chat.UpstreamBusy, time.Minute, 1},
		{"too many, a date", 429, func() string { return date(90 * time.Second) }, chat.UpstreamBusy, 90 * time.Second, 1},
		{"too many, a past date", 429, func() string { return date(-time.Hour) }, chat.UpstreamBusy, 0, 3},
		{"too many, for ever", 429, func() string { return "1e300" }, chat.UpstreamBusy, time.Hour, 1},
		{"too many, nonsense", 429, func() string { return "zebra" }, chat.UpstreamBusy, 0, 3},
		{"too many, before now", 429, func() string { return "-5" }, chat.UpstreamBusy, 0, 3},
		{"too many, no number", 429, func() string { return "NaN" }, chat.UpstreamBusy, 0, 3},
		{"internal", 500, nil, chat.UpstreamBusy, 0, 1},
		{"bad gateway", 502, nil, chat.UpstreamBusy, 0, 1},
		{"unavailable", 503, nil, chat.UpstreamBusy, 0, 3},
		{"unavailable, later", 503, func() string { return "3" }, chat.UpstreamBusy, 3 * time.Second, 1},
		{"gateway time-out", 504, nil, chat.UpstreamTimeout, 0, 1},
		{"overloaded", 529, nil, chat.UpstreamBusy, 0, 1},
		{"moved", 307, nil, chat.UpstreamBadRequest, 0, 1},
		{"not modified", 304, nil, chat.UpstreamBadRequest, 0, 1},
	} {
		t.Run(want.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				result, took := elapsed(t, func(w http.ResponseWriter, r *http.Request) {
					tries++
					after := ""
					if want.after != nil {
						after = want.after()
					}
					refuse(w, r, want.status, after)
				})
				checkFailure(t, result.err, want.kind, want.status)
				if after := failureOf(t, result.err).RetryAfter; after != want.wait {
					t.Errorf("retry after %v, want %v", after, want.wait)
				}
				if tries != want.tries || !result.refused {
					t.Errorf("%d tries, want %d", tries, want.tries)
				}
				checkBackoff(t, took, tries-1, want.wait)
			})
		})
	}
}

// checkBackoff checks that the waits are 200 and 400 ms, or upstream's Retry-After,
// plus a jitter of up to 200 and 400 ms.
func checkBackoff(t *testing.T, took time.Duration, retries int, after time.Duration) {
	t.Helper()
	var least, most time.Duration
	for i := range retries {
		backoff := 200 * time.Millisecond << i
		least += max(backoff, after)
		most += max(backoff, after) + backoff
	}
	if took < least || took > most {
		t.Errorf("took %v, want %v to %v", took, least, most)
	}
}

func TestRetrySucceeds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		result, _ := elapsed(t, func(w http.ResponseWriter, r *http.Request) {
			if tries++; tries < 3 {
				refuse(w, r, http.StatusServiceUnavailable, "")
				return
			}
			send(t, w, textEvent+stopEvent+doneEvent)
		})
		if result.err != nil || result.text != "word " || tries != 3 {
			t.Errorf("text %q, error %v, %d tries", result.text, result.err, tries)
		}
	})
}

// TestNoRetryOfChargedRequest checks that a request which may have been charged is not
// sent again.
func TestNoRetryOfChargedRequest(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]http.HandlerFunc{
		"cut before the header": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"error event first": func(w http.ResponseWriter, _ *http.Request) {
			send(t, w, `data: {"error":{"code":429,"message":"zebra"}}`+"\n\n")
		},
		"empty body": func(http.ResponseWriter, *http.Request) {},
		"silence":    func(_ http.ResponseWriter, r *http.Request) { <-gone(r) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				result, _ := elapsed(t, func(w http.ResponseWriter, r *http.Request) {
					tries++
					handler(w, r)
				})
				if result.err == nil || tries != 1 {
					t.Errorf("error %v, %d tries", result.err, tries)
				}
			})
		})
	}
}

func TestDialFailuresAreRetried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dials := 0
		c := client(t, "http://upstream.test/v1", timeouts, func(o *openrouter.Options) {
			o.Dial = func(context.Context, string, string) (net.Conn, error) {
				dials++
				return nil, fmt.Errorf("dial: %w", context.DeadlineExceeded)
			}
		})
		start := time.Now()
		result := ask(t.Context(), t, c)
		checkFailure(t, result.err, chat.UpstreamUnreachable, 0)
		if errors.Is(result.err, context.DeadlineExceeded) {
			t.Error("the failure passes for the context's")
		}
		if dials != 3 {
			t.Errorf("%d dials, want 3", dials)
		}
		checkBackoff(t, time.Since(start), 2, 0)
	})
}

func TestRetriesStayWithinTheFirstByteTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		c, end := inMemory(t, func(w http.ResponseWriter, r *http.Request) {
			tries++
			refuse(w, r, http.StatusTooManyRequests, "2")
		}, func(o *openrouter.Options) { o.FirstByteTimeout = 3 * time.Second })
		defer end()
		start := time.Now()
		result := ask(t.Context(), t, c)
		checkFailure(t, result.err, chat.UpstreamBusy, http.StatusTooManyRequests)
		if took := time.Since(start); tries != 2 || took > 3*time.Second {
			t.Errorf("%d tries in %v", tries, took)
		}
	})
}

func TestCancelEndsTheWaitForARetry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, end := inMemory(t, func(w http.ResponseWriter, r *http.Request) {
			refuse(w, r, http.StatusTooManyRequests, "2")
		})
		defer end()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		result := ask(ctx, t, c)
		if !errors.Is(result.err, context.Canceled) || time.Since(start) != time.Second {
			t.Errorf("error %v after %v", result.err, time.Since(start))
		}
	})
}

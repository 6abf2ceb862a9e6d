package contract_test

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// limitedServer starts a server with the default limit of 30 requests a minute
// for each address.
func limitedServer(t *testing.T, database harness.Database) *harness.Server {
	t.Helper()
	return harness.Start(t, harness.Options{
		Database: database, Env: map[string]string{"RATE_LIMIT_PER_MINUTE": harness.Unset, "CORS_ORIGINS": allowedOrigin},
	})
}

// status sends a request and returns the status and the headers of the answer.
func status(t *testing.T, client *http.Client, method, url string, head http.Header, body string) (int, http.Header) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(request.Header, head)
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header
}

// TestRateLimit tests the limit. Each case has an address of its own.
func TestRateLimit(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		server := limitedServer(t, database)
		t.Run("all operations and users together", func(t *testing.T) { limitTogether(t, server) })
		t.Run("a hundred at once", func(t *testing.T) { limitAtOnce(t, server) })
		t.Run("pages and probes do not count", func(t *testing.T) { limitNotOnPages(t, server) })
		t.Run("X-Forwarded-For is ignored", func(t *testing.T) { limitForged(t, server) })
		t.Run("failures count", func(t *testing.T) { limitCountsFailures(t, server) })
		t.Run("foreign origins count", func(t *testing.T) { limitCountsForeignOrigins(t, server) })
		t.Run("allowed origins can read the refusal", func(t *testing.T) { limitReadByAllowedOrigin(t, server) })
	})
}

func bearer(user *harness.User) http.Header {
	return header("Authorization", "Bearer "+user.Token, "Content-Type", "application/json")
}

// limitTogether sends 31 requests of five users over all six operations.
func limitTogether(t *testing.T, server *harness.Server) {
	client := server.HTTPFrom(t, "127.0.0.11")
	owner := server.User(t)
	session := owner.CreateSession() // from 127.0.0.1, another address
	sent := 0
	for range 6 {
		user := server.User(t)
		for _, o := range operations(session)[:5] {
			code, head := status(t, client, o.method, server.URL+o.path, bearer(user), o.body)
			sent++
			if code == http.StatusTooManyRequests {
				t.Fatalf("request %d was refused", sent)
			}
			if got := head.Get("Ratelimit-Remaining"); got != strconv.Itoa(30-sent) {
				t.Errorf("after request %d (%s) %s remain", sent, o.id, got)
			}
		}
	}
	for _, o := range operations(session) {
		code, head := status(t, client, o.method, server.URL+o.path, bearer(server.User(t)), o.body)
		if code != http.StatusTooManyRequests || head.Get("Ratelimit-Remaining") != "0" {
			t.Errorf("request 31 (%s): got %d, remaining %q", o.id, code, head.Get("Ratelimit-Remaining"))
		}
		if head.Get("Retry-After") != head.Get("Ratelimit-Reset") {
			t.Errorf("%s: Retry-After %s, RateLimit-Reset %s", o.id, head.Get("Retry-After"), head.Get("Ratelimit-Reset"))
		}
	}
}

func limitAtOnce(t *testing.T, server *harness.Server) {
	client, head := server.HTTPFrom(t, "127.0.0.12"), bearer(server.User(t))
	var (
		mu     sync.Mutex
		passed int
		all    sync.WaitGroup
	)
	for range 100 {
		all.Go(func() {
			code, _ := status(t, client, http.MethodGet, server.URL+harness.SessionsPath, head, "")
			mu.Lock()
			defer mu.Unlock()
			if code == http.StatusOK {
				passed++
			} else if code != http.StatusTooManyRequests {
				t.Errorf("got %d", code)
			}
		})
	}
	all.Wait()
	if passed != 30 {
		t.Errorf("%d of 100 requests at once passed, want 30", passed)
	}
}

func limitNotOnPages(t *testing.T, server *harness.Server) {
	client := server.HTTPFrom(t, "127.0.0.13")
	for _, path := range []string{"/health", "/readyz", "/openapi.yaml", "/openapi.json", "/docs"} {
		for range 40 {
			if code, _ := status(t, client, http.MethodGet, server.URL+path, nil, ""); code >= http.StatusBadRequest {
				t.Fatalf("%s answered %d", path, code)
			}
		}
	}
	code, head := status(t, client, http.MethodGet, server.URL+harness.SessionsPath, bearer(server.User(t)), "")
	if code != http.StatusOK || head.Get("Ratelimit-Remaining") != "29" {
		t.Errorf("after 200 pages the API answers %d, remaining %s", code, head.Get("Ratelimit-Remaining"))
	}
}

func limitForged(t *testing.T, server *harness.Server) {
	client, user := server.HTTPFrom(t, "127.0.0.14"), server.User(t)
	for n := range 31 {
		head := bearer(user)
		head.Set("X-Forwarded-For", "203.0.113."+strconv.Itoa(n))
		head.Set("X-Real-IP", "203.0.113."+strconv.Itoa(n))
		head.Set("Forwarded", "for=203.0.113."+strconv.Itoa(n))
		code, _ := status(t, client, http.MethodGet, server.URL+harness.SessionsPath, head, "")
		if refused := code == http.StatusTooManyRequests; refused != (n == 30) {
			t.Errorf("request %d answered %d", n+1, code)
		}
	}
}

func limitCountsFailures(t *testing.T, server *harness.Server) {
	client := server.HTTPFrom(t, "127.0.0.15")
	for n := range 31 {
		code, _ := status(t, client, http.MethodGet, server.URL+harness.SessionsPath, header("Authorization", "Bearer x"), "")
		if want := []int{401, 429}[n/30]; code != want {
			t.Errorf("request %d without a good token answered %d, want %d", n+1, code, want)
		}
	}
}

// limitCountsForeignOrigins checks that a refused page's request counts and its
// preflight does not.
func limitCountsForeignOrigins(t *testing.T, server *harness.Server) {
	client, head := server.HTTPFrom(t, "127.0.0.16"), bearer(server.User(t))
	head.Set("Origin", "https://evil.example")
	ask := preflight(harness.SessionsPath, "https://evil.example", http.MethodGet)
	for n := range 31 {
		if code, _ := status(t, client, ask.Method, server.URL+ask.Path, ask.Header, ""); code != http.StatusForbidden {
			t.Errorf("preflight %d answered %d, want 403", n+1, code)
		}
		code, got := status(t, client, http.MethodGet, server.URL+harness.SessionsPath, head, "")
		if want := []int{403, 429}[n/30]; code != want {
			t.Errorf("request %d of a foreign origin answered %d, want %d", n+1, code, want)
		}
		if want := strconv.Itoa(max(0, 29-n)); got.Get("Ratelimit-Remaining") != want {
			t.Errorf("after request %d of a foreign origin %q remain, want %s", n+1, got.Get("Ratelimit-Remaining"), want)
		}
	}
}

// limitReadByAllowedOrigin checks that a page of an allowed origin can read the
// refusal and its Retry-After.
func limitReadByAllowedOrigin(t *testing.T, server *harness.Server) {
	client, head := server.HTTPFrom(t, "127.0.0.17"), bearer(server.User(t))
	head.Set("Origin", allowedOrigin)
	for n := range 31 {
		code, got := status(t, client, http.MethodGet, server.URL+harness.SessionsPath, head, "")
		if want := []int{200, 429}[n/30]; code != want {
			t.Errorf("request %d answered %d, want %d", n+1, code, want)
		}
		checkAllowed(t, got, allowedOrigin)
		if exposed := words(got, "Access-Control-Expose-Headers"); !slices.Contains(exposed, "retry-after") {
			t.Errorf("request %d exposes %v", n+1, exposed)
		}
	}
}

// TestRateLimitBehindProxy checks that the client's address is the one that the
// trusted proxy appended, IPv6 by its /64, whatever the client sent.
func TestRateLimitBehindProxy(t *testing.T) {
	t.Parallel()
	env := map[string]string{"RATE_LIMIT_PER_MINUTE": "2", "TRUSTED_PROXIES": "127.0.0.0/8, 10.0.0.0/8"}
	onEach(t, env, func(t *testing.T, server *harness.Server) {
		user := server.User(t)
		remaining := func(forwarded ...string) string {
			head := header("X-Forwarded-For", strings.Join(forwarded, ", "))
			answer := user.Do(harness.Request{Method: http.MethodGet, Path: harness.SessionsPath, Header: head})
			return strconv.Itoa(answer.Status) + " " + answer.Header.Get("Ratelimit-Remaining")
		}
		steps := []struct {
			forwarded []string
			want      string
		}{
			{[]string{"203.0.113.1"}, "200 1"},
			{[]string{"203.0.113.2"}, "200 1"},
			{[]string{"198.51.100.9", "203.0.113.1"}, "200 0"}, // The client's own entry is ignored.
			{[]string{"198.51.100.8", "203.0.113.1"}, "429 0"},
			{[]string{"203.0.113.1", "10.1.2.3"}, "429 0"}, // Two proxies.
			{[]string{"2001:db8:1:1::1"}, "200 1"},
			{[]string{"2001:db8:1:1:ffff::2"}, "200 0"}, // The same /64.
			{[]string{"2001:db8:1:1::3"}, "429 0"},
			{[]string{"2001:db8:1:2::3"}, "200 1"},
			{[]string{"::ffff:203.0.113.1"}, "429 0"},  // IPv4 in IPv6.
			{[]string{"203.0.113.1", "", ""}, "429 0"}, // Empty elements are skipped.
		}
		for _, step := range steps {
			if got := remaining(step.forwarded...); got != step.want {
				t.Errorf("X-Forwarded-For %v: got %s, want %s", step.forwarded, got, step.want)
			}
		}
	})
}

// TestRateLimitOff checks that 0 turns the limit off and that the log has a
// warning.
func TestRateLimitOff(t *testing.T) {
	t.Parallel()
	onEach(t, map[string]string{"RATE_LIMIT_PER_MINUTE": "0"}, func(t *testing.T, server *harness.Server) {
		user := server.User(t)
		for range 50 {
			wantOK(t, user.Do(harness.Request{Method: http.MethodGet, Path: harness.SessionsPath}))
		}
		for line := range strings.SplitSeq(server.Log(), "\n") {
			if strings.Contains(line, `"level":"WARN"`) && strings.Contains(line, "RATE_LIMIT_PER_MINUTE") {
				return
			}
		}
		t.Error("the log has no warning that names RATE_LIMIT_PER_MINUTE")
	})
}

// TestRateLimitPreflight checks that a preflight does not count, allowed or
// refused.
func TestRateLimitPreflight(t *testing.T) {
	t.Parallel()
	env := map[string]string{"RATE_LIMIT_PER_MINUTE": "5", "CORS_ORIGINS": allowedOrigin}
	onEach(t, env, func(t *testing.T, server *harness.Server) {
		for _, origin := range []string{allowedOrigin, "https://evil.example"} {
			for range 10 {
				server.Do(t, preflight(harness.SessionsPath, origin, http.MethodPost))
			}
		}
		answer := server.User(t).Do(harness.Request{Method: http.MethodGet, Path: harness.SessionsPath})
		if got := answer.Header.Get("Ratelimit-Remaining"); got != "4" {
			t.Errorf("after 20 preflights and a request %s of 5 remain", got)
		}
	})
}

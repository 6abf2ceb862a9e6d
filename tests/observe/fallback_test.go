package observe_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
	"github.com/chatkit-rest/chatkit-rest/tests/redis"
)

// TestFallbackMetric checks that a metric shows that Redis is unreachable and
// that it is reachable again.
func TestFallbackMetric(t *testing.T) {
	t.Parallel()
	shared := redis.Start(t, redis.Options{})
	server := startObserved(t, harness.Options{Database: harness.SQLite, Env: map[string]string{
		"REDIS_URL": shared.URL, "RATE_LIMIT_PER_MINUTE": "1000",
	}})
	alice := server.User(t)
	server.awaitFallback(t, 0)
	shared.Kill()
	alice.Do(harness.Request{Method: http.MethodGet, Path: harness.SessionsPath})
	server.awaitFallback(t, 1)
	shared.Restart()
	server.awaitFallback(t, 0)
}

func (s *observed) awaitFallback(t *testing.T, fallback float64) {
	t.Helper()
	for deadline := time.Now().Add(patience); s.scrape(t).value("chatkit_rate_limit_fallback") != fallback; time.Sleep(pause) {
		if time.Now().After(deadline) {
			t.Fatalf("chatkit_rate_limit_fallback does not become %v", fallback)
		}
	}
}

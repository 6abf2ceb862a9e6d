package replicas_test

import (
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
	"github.com/chatkit-rest/chatkit-rest/tests/redis"
)

const (
	limit     = 30
	patience  = 30 * time.Second
	failsLine = "Redis (REDIS_URL) fails"
	backLine  = "Redis (REDIS_URL) is back"
)

// service is two servers on one database and one Redis.
type service struct {
	replicas [2]*harness.Server
	token    string
}

func newService(t *testing.T, redisURL string, env ...string) service {
	t.Helper()
	secret := rand.Text() + rand.Text()
	settings := map[string]string{
		"REDIS_URL": redisURL, "RATE_LIMIT_PER_MINUTE": harness.Unset, "JWT_SECRET": secret,
	}
	for n := 0; n+1 < len(env); n += 2 {
		settings[env[n]] = env[n+1]
	}
	s := service{token: harness.Token(t, secret, "alice")}
	url := harness.NewDatabase(t, harness.Postgres)
	for n := range s.replicas {
		s.replicas[n] = harness.Start(t, harness.Options{Database: harness.Postgres, DatabaseURL: url, Env: settings})
	}
	return s
}

// list lists the sessions at a replica and returns the status and the headers
// of the answer.
func (s service) list(t *testing.T, replica int, client *http.Client) (int, http.Header) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	url := s.replicas[replica].URL + harness.SessionsPath
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+s.token)
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, response.Body) // Reading to the end lets the connection be reused.
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header
}

// ready returns the body of a replica's /readyz.
func ready(t *testing.T, server *harness.Server) string {
	t.Helper()
	answer := server.Do(t, harness.Request{Method: http.MethodGet, Path: "/readyz"})
	if answer.Status != http.StatusOK {
		t.Errorf("/readyz answers %d %s", answer.Status, answer.Body)
	}
	return strings.TrimSpace(string(answer.Body))
}

const (
	readyShared   = `{"status":"ready","checks":{"database":"ok","migrations":"ok","rate_limit":"ok"}}`
	readyDegraded = `{"status":"ready","checks":{"database":"ok","migrations":"ok","rate_limit":"degraded"}}`
	readyAlone    = `{"status":"ready","checks":{"database":"ok","migrations":"ok"}}`
)

func awaitShared(t *testing.T, server *harness.Server) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for got := ""; got != readyShared; got = ready(t, server) {
		if time.Now().After(deadline) {
			t.Fatalf("after %s /readyz says %s, want %s", patience, got, readyShared)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// TestLimitOverReplicas sends a hundred concurrent requests to two servers and
// checks that thirty pass. It tries again from another address if the log shows
// that the machine was too busy for a server to get Redis's answer in time.
func TestLimitOverReplicas(t *testing.T) {
	t.Parallel()
	server := redis.Start(t, redis.Options{Password: hidden})
	s := newService(t, server.URL)
	fallbacks := func() int {
		return strings.Count(s.replicas[0].Log(), failsLine) + strings.Count(s.replicas[1].Log(), failsLine)
	}
	for try := range 10 {
		for _, replica := range s.replicas {
			awaitShared(t, replica)
		}
		before, address := fallbacks(), "127.0.0."+strconv.Itoa(100+try)
		passed := s.hundred(t, address)
		// The output of a process may arrive after its answer.
		if fallbacks() > before || ready(t, s.replicas[0]) != readyShared || ready(t, s.replicas[1]) != readyShared {
			continue
		}
		if passed != limit {
			t.Errorf("%d of 100 requests at once passed, want %d", passed, limit)
		}
		checkKeys(t, server)
		return
	}
	t.Fatal("Redis was never used from beginning to end")
}

// hundred sends a hundred concurrent requests, half of them to each replica,
// and returns how many passed.
func (s service) hundred(t *testing.T, address string) int64 {
	t.Helper()
	clients := [2]*http.Client{s.replicas[0].HTTPFrom(t, address), s.replicas[1].HTTPFrom(t, address)}
	var (
		passed atomic.Int64
		all    sync.WaitGroup
	)
	for n := range 100 {
		all.Go(func() {
			code, head := s.list(t, n%2, clients[n%2])
			switch code {
			case http.StatusOK:
				passed.Add(1)
			case http.StatusTooManyRequests:
				wait, err := strconv.Atoi(head.Get("Retry-After"))
				if err != nil || wait < 1 || wait > 60 || head.Get("Ratelimit-Remaining") != "0" {
					t.Errorf("a refusal has the headers %v", head)
				}
			default:
				t.Errorf("got %d", code)
			}
		})
	}
	all.Wait()
	return passed.Load()
}

// checkKeys checks that keys have the server's prefix and an expiry, and
// contain no address.
func checkKeys(t *testing.T, server *redis.Server) {
	t.Helper()
	client := server.Client(t)
	for _, key := range server.Keys(t) {
		left, err := client.PTTL(t.Context(), key).Result()
		if err != nil || left <= 0 || left > time.Minute {
			t.Errorf("the key %s ends in %s, %v", key, left, err)
		}
		if !strings.HasPrefix(key, "chatkit-rest:ratelimit:") || strings.Contains(key, "127.0") {
			t.Errorf("there is an unexpected key %s", key)
		}
	}
	if keys := server.Addresses(t); len(keys) == 0 {
		t.Error("no address was counted in Redis")
	}
}

// TestLimitWithoutRedis checks that each replica limits by itself while Redis
// is unreachable and reports that, and that they share the limit again
// afterwards.
func TestLimitWithoutRedis(t *testing.T) {
	t.Parallel()
	troubles := map[string]struct {
		address    string
		begin, end func(*redis.Server)
	}{
		"killed": {"127.0.0.41", (*redis.Server).Kill, (*redis.Server).Restart},
		"frozen": {"127.0.0.42", (*redis.Server).Freeze, (*redis.Server).Thaw},
	}
	for name, trouble := range troubles {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redis.Start(t, redis.Options{Password: hidden})
			s := newService(t, server.URL)
			clients := [2]*http.Client{s.replicas[0].HTTPFrom(t, trouble.address), s.replicas[1].HTTPFrom(t, trouble.address)}
			s.list(t, 0, clients[0])
			trouble.begin(server)
			for replica, client := range clients {
				s.checkAlone(t, replica, client)
			}
			trouble.end(server)
			for _, replica := range s.replicas {
				awaitShared(t, replica)
			}
			_, first := s.list(t, 0, clients[0])
			code, second := s.list(t, 1, clients[1])
			left, err := strconv.Atoi(first.Get("Ratelimit-Remaining"))
			if err != nil || code != http.StatusOK || second.Get("Ratelimit-Remaining") != strconv.Itoa(left-1) {
				t.Errorf("after the outage the replicas report %s and %s", first.Get("Ratelimit-Remaining"), second.Get("Ratelimit-Remaining"))
			}
			for _, replica := range s.replicas {
				checkOutageLog(t, replica)
			}
		})
	}
}

// checkAlone checks that a replica applies the limit by its own count.
func (s service) checkAlone(t *testing.T, replica int, client *http.Client) {
	t.Helper()
	passed := 0
	for range limit + 5 {
		if code, _ := s.list(t, replica, client); code == http.StatusOK {
			passed++
		}
	}
	if passed != limit {
		t.Errorf("without Redis replica %d let %d pass, want %d", replica, passed, limit)
	}
	if got := ready(t, s.replicas[replica]); got != readyDegraded {
		t.Errorf("/readyz says %s", got)
	}
}

// checkOutageLog checks that the log has one line for each change and no
// password. A busy machine may add an outage.
func checkOutageLog(t *testing.T, replica *harness.Server) {
	t.Helper()
	replica.AwaitLog(t, backLine)
	log := replica.Log()
	fails, backs := strings.Count(log, failsLine), strings.Count(log, backLine)
	if fails != backs || fails < 1 || fails > 3 {
		t.Errorf("the log has %d failures and %d recoveries", fails, backs)
	}
	if strings.Contains(log, hidden) {
		t.Error("the log shows the password")
	}
}

// TestStartWithoutRedis checks that a server starts and serves while Redis is
// unreachable.
func TestStartWithoutRedis(t *testing.T) {
	t.Parallel()
	server := redis.Start(t, redis.Options{})
	server.Kill()
	replica := harness.Start(t, harness.Options{Database: harness.SQLite, Env: map[string]string{
		"REDIS_URL": server.URL, "RATE_LIMIT_PER_MINUTE": harness.Unset,
	}})
	if got := ready(t, replica); got != readyDegraded {
		t.Errorf("/readyz says %s", got)
	}
	replica.User(t).CreateSession()
	server.Restart()
	awaitShared(t, replica)
}

// TestRedisWithoutLimit checks that without a limit no request is counted in Redis.
func TestRedisWithoutLimit(t *testing.T) {
	t.Parallel()
	server := redis.Start(t, redis.Options{})
	replica := harness.Start(t, harness.Options{Database: harness.SQLite, Env: map[string]string{"REDIS_URL": server.URL}})
	replica.User(t).CreateSession()
	if got := ready(t, replica); got != readyAlone {
		t.Errorf("/readyz says %s", got)
	}
	if keys := server.Keys(t); len(keys) != 0 {
		t.Errorf("there are the keys %q", keys)
	}
}

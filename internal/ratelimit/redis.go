package ratelimit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	// redisWait bounds what a request waits for Redis, connecting included. A
	// healthy one answers in well under a millisecond, but this process may be
	// so busy that it sees the answer late.
	redisWait = 500 * time.Millisecond
	// checkWait is for who asks once and wants to know what is wrong.
	checkWait = 5 * time.Second
	// Few connections carry many requests of so little work, and those that
	// are open before the first request cost none a handshake.
	redisConns     = 10
	redisIdleConns = 4
	// keyPrefix keeps the keys apart from those of others on one Redis.
	keyPrefix = "chatkit-rest:ratelimit:"
	// keyHashBytes of SHA-256 name a client; no two of a minute's meet.
	keyHashBytes = 16
)

// countScript counts one request and gives the count and the milliseconds
// that are left of the window. Redis runs it as one step, so the count is
// exact over any number of replicas, and a window never lacks its end.
var countScript = redis.NewScript(`
local count = redis.call('INCR', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
	redis.call('PEXPIRE', KEYS[1], ARGV[1])
	left = tonumber(ARGV[1])
end
return {count, left}`)

// newClient makes a client that waits no longer than wait for anything and
// repeats nothing, or one request might count twice.
func newClient(url string, wait time.Duration) (*redis.Client, error) {
	options, err := redis.ParseURL(url)
	if err != nil {
		return nil, errors.New("not a URL of Redis") // the library's words may hold the password
	}
	logging.Disable() // what goes wrong is told by the Limiter, once
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = wait, wait, wait
	options.PoolTimeout = wait
	options.PoolSize, options.MinIdleConns = redisConns, redisIdleConns
	options.ContextTimeoutEnabled = true
	options.MaxRetries = -1
	options.DialerRetries = 1
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return redis.NewClient(options), nil
}

// count counts one request under a key, within the wait of the client.
func count(ctx context.Context, client *redis.Client, key string) (requests int64, left time.Duration, err error) {
	// A client that leaves says nothing about Redis.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), client.Options().ReadTimeout)
	defer cancel()
	reply, err := countScript.Run(ctx, client, []string{key}, Window.Milliseconds()).Int64Slice()
	if err != nil {
		return 0, 0, err
	}
	if len(reply) != 2 { // the script's two
		return 0, 0, fmt.Errorf("redis answered with %d numbers, want 2", len(reply))
	}
	// The last millisecond of a window is told as 0.
	return reply[0], time.Duration(max(reply[1], 1)) * time.Millisecond, nil
}

// probe does what a request would, so that a Redis that answers and yet takes
// no writes is not believed to be well.
func probe(ctx context.Context, client *redis.Client) error {
	_, _, err := count(ctx, client, keyPrefix+"probe")
	return err
}

// redisKey names a client in Redis by a hash, so that nobody who looks at the
// keys reads addresses. It hides none from somebody who hashes every IPv4
// address; against that stands that a key lives for a minute.
func redisKey(addr netip.Addr) string {
	hash := sha256.Sum256([]byte(exactKey(addr)))
	return keyPrefix + hex.EncodeToString(hash[:keyHashBytes])
}

// CheckRedis finds out whether the Redis of the URL can count requests. The
// error holds no password.
func CheckRedis(ctx context.Context, url string) error {
	client, err := newClient(url, checkWait)
	if err != nil {
		return err
	}
	defer client.Close() //nolint:errcheck // nothing more is asked
	err = probe(ctx, client)
	switch {
	case err == nil:
		return nil
	case redis.IsAuthError(err), strings.HasPrefix(err.Error(), "WRONGPASS"), strings.HasPrefix(err.Error(), "NOAUTH"):
		return errors.New("its user or password is refused, or one is needed: write redis://user:password@host:6379")
	default:
		return fmt.Errorf("it does not run EVALSHA, EVAL, INCR, PTTL and PEXPIRE on %s* as it should: %w", keyPrefix, err)
	}
}

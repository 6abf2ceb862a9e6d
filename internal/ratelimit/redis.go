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
	// redisTimeout bounds how long a request waits for Redis, connecting
	// included. Redis answers in well under a millisecond, but a busy process
	// may see the answer late.
	redisTimeout = 500 * time.Millisecond
	// checkTimeout is the same for CheckRedis, which reports what is wrong.
	checkTimeout = 5 * time.Second
	// A few connections carry many such small requests; those that are opened
	// beforehand save a request the handshake.
	redisConns     = 10
	redisIdleConns = 4
	// keyPrefix separates the keys from those of other programs on one Redis.
	keyPrefix = "chatkit-rest:ratelimit:"
	// keyHashBytes of SHA-256 identify a client without collisions.
	keyHashBytes = 16
)

// countScript counts one request and returns the count and the milliseconds
// that are left of the window. Redis runs it atomically, so the count is exact
// over any number of replicas, and a key never lacks its expiry.
var countScript = redis.NewScript(`
local count = redis.call('INCR', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
	redis.call('PEXPIRE', KEYS[1], ARGV[1])
	left = tonumber(ARGV[1])
end
return {count, left}`)

// newClient returns a client whose every operation has the timeout. It never
// retries, because a request could then count twice.
func newClient(url string, timeout time.Duration) (*redis.Client, error) {
	options, err := redis.ParseURL(url)
	if err != nil {
		return nil, errors.New("not a URL of Redis") // the library's error may hold the password
	}
	logging.Disable() // the Limiter logs an outage once
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = timeout, timeout, timeout
	options.PoolTimeout = timeout
	options.PoolSize, options.MinIdleConns = redisConns, redisIdleConns
	options.ContextTimeoutEnabled = true
	options.MaxRetries = -1
	options.DialerRetries = 1
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return redis.NewClient(options), nil
}

// count counts one request under a key, within the client's timeout.
func count(ctx context.Context, client *redis.Client, key string) (requests int64, left time.Duration, err error) {
	// An HTTP client that disconnects must not look like an outage of Redis.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), client.Options().ReadTimeout)
	defer cancel()
	reply, err := countScript.Run(ctx, client, []string{key}, Window.Milliseconds()).Int64Slice()
	if err != nil {
		return 0, 0, err
	}
	if len(reply) != 2 {
		return 0, 0, fmt.Errorf("redis answered with %d numbers, want 2", len(reply))
	}
	// Redis reports the last millisecond of a window as 0.
	return reply[0], time.Duration(max(reply[1], 1)) * time.Millisecond, nil
}

// probe counts a request as Allow does, so that a Redis that answers and refuses
// writes is not taken for healthy.
func probe(ctx context.Context, client *redis.Client) error {
	_, _, err := count(ctx, client, keyPrefix+"probe")
	return err
}

// redisKey hashes a client's address, so that the keys do not show it. A person
// who can read Redis could still hash every IPv4 address to find one; a key lives
// for a minute.
func redisKey(addr netip.Addr) string {
	hash := sha256.Sum256([]byte(exactKey(addr)))
	return keyPrefix + hex.EncodeToString(hash[:keyHashBytes])
}

// CheckRedis checks that the Redis at the URL can count requests. The error
// holds no password.
func CheckRedis(ctx context.Context, url string) error {
	client, err := newClient(url, checkTimeout)
	if err != nil {
		return err
	}
	defer client.Close() //nolint:errcheck // it is not used again
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

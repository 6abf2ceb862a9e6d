package eventlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

const (
	// keyPrefix separates the streams from the keys of other programs on one Redis.
	keyPrefix = "chatkit-rest:run:"
	// redisTimeout bounds each request to Redis.
	redisTimeout = 2 * time.Second
	// retryPause is the pause after a request that failed.
	retryPause = 500 * time.Millisecond

	// The fields of an entry: the events as JSON, or the mark of the end.
	eventsField = "events"
	endField    = "end"
)

// Redis is a [chat.EventLog] of the server processes that share a Redis. The logs
// of the runs that this process executes are in its memory, and are copied to Redis
// Streams for the other processes. While Redis is unreachable they can be followed
// in this process only; they are copied when it is back.
//
// The id of an entry of a stream is the sequence number of its last event.
type Redis struct {
	memory    *Memory
	client    *redis.Client
	publisher *publisher
	mirrors   *mirrors
}

// RedisOptions are the options of a Redis.
type RedisOptions struct {
	// URL is as redis.ParseURL takes it.
	URL string
	// Memory bounds the logs in memory. Its TTL is that of the ended logs in Redis too.
	Memory Options
	// RunTime is the maximum time of a run. A log whose process was killed is kept
	// for that time and the TTL.
	RunTime time.Duration
	Logger  *slog.Logger
}

// NewRedis returns an event log. It does not connect yet. Returns an error if the
// URL is invalid.
func NewRedis(o RedisOptions) (*Redis, error) {
	options, err := redis.ParseURL(o.URL)
	if err != nil {
		return nil, errors.New("not a URL of Redis") // The library's error may have the password.
	}
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = redisTimeout, redisTimeout, redisTimeout
	options.ContextTimeoutEnabled = true
	options.MaxRetries = -1 // A request with an unknown outcome is not repeated as it is.
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	client := redis.NewClient(options)
	memory := NewMemory(o.Memory)
	r := &Redis{
		memory: memory, client: client,
		publisher: newPublisher(client, memory, o),
		mirrors:   newMirrors(client, o.Logger),
	}
	return r, nil
}

// Close copies what is not copied yet, for as long as ctx allows, and disconnects.
// It is called when no run is executed any more.
func (r *Redis) Close(ctx context.Context) error {
	r.mirrors.close()
	err := r.publisher.close(ctx)
	return errors.Join(err, r.client.Close())
}

// Create implements [chat.EventLog].
func (r *Redis) Create(run uuid.UUID) chat.RunLog {
	l := r.memory.create(run)
	r.publisher.add(l)
	return l
}

// Follow implements [chat.EventLog].
func (r *Redis) Follow(ctx context.Context, run uuid.UUID, after int) (chat.Follower, error) {
	if l := r.memory.find(run); l != nil {
		return l.Follow(after), nil
	}
	return r.mirrors.follow(ctx, run, after)
}

// unavailable is the error of a request to Redis that failed.
func unavailable(err error) error {
	return &chat.Error{
		Code: chat.CodeServiceUnavailable, Message: "The events of this run cannot be read at the moment; try again shortly.",
		RetryAfter: time.Second, Err: fmt.Errorf("redis: %w", err),
	}
}

func streamKey(run uuid.UUID) string { return keyPrefix + run.String() }

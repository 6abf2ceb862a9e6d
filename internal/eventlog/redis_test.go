package eventlog

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/tests/redis"
)

func progress(n int) chat.Event { return chat.Progress{Text: strconv.Itoa(n)} }

// wantProgress checks that events are the progress events from first on.
func wantProgress(t *testing.T, what string, events []chat.Event, first, count int) {
	t.Helper()
	if len(events) != count {
		t.Errorf("%s: %d events, want %d", what, len(events), count)
	}
	for n, event := range events {
		if event != progress(first+n) {
			t.Errorf("%s: event %d is %v, want %v", what, n, event, progress(first+n))
		}
	}
}

// waitFor calls done until it returns true.
func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	timeout := time.After(30 * time.Second)
	for !done() {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-timeout:
			t.Fatalf("%s: it did not happen in 30 s", what)
		}
	}
}

// While Redis is away, runs go on and are followed in their own process. When it is
// back, though empty, they are followed in the others too, with their numbers.
func TestRedisIsAway(t *testing.T) {
	t.Parallel()
	server := redis.Start(t, redis.Options{})
	owner, other := openRedis(t, server.URL, roomy), openRedis(t, server.URL, roomy)
	server.Kill()
	run := uuid.New()
	log := owner.Create(run)
	log.Append(progress(1), progress(2))
	here := follow(t, owner, run, 0)
	wantProgress(t, "followed here", collect(t, here, 2), 1, 2)
	_, err := other.Follow(t.Context(), run, 0)
	if chat.CodeOf(err) != chat.CodeServiceUnavailable {
		t.Errorf("followed elsewhere: error %v", err)
	}
	server.Restart()
	log.Append(progress(3))
	wantProgress(t, "followed here", collect(t, here, 1), 3, 1)
	var there chat.Follower
	waitFor(t, "the log is copied", func() bool {
		there, err = other.Follow(t.Context(), run, 1)
		return err == nil
	})
	defer there.Close()
	wantProgress(t, "followed elsewhere", collect(t, there, 2), 2, 2)
	log.End()
	wantProgress(t, "the end elsewhere", collect(t, there, -1), 4, 0)
}

// A follower in another process gets each event once, though Redis loses all of its
// data in the middle, and though its stream is written anew with other entries.
func TestRedisLosesItsData(t *testing.T) {
	t.Parallel()
	server := redis.Start(t, redis.Options{})
	owner, other := openRedis(t, server.URL, roomy), openRedis(t, server.URL, roomy)
	run := uuid.New()
	log := owner.Create(run)
	seq := 0
	add := func(count int) {
		for range count {
			seq++
			log.Append(progress(seq))
		}
	}
	add(3)
	there := follow(t, other, run, 0)
	wantProgress(t, "before", collect(t, there, 3), 1, 3)
	client := server.Client(t)
	for round := range 5 {
		first := seq + 1
		add(2)
		if round%2 == 0 {
			if err := client.FlushAll(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
		} else {
			server.Restart()
		}
		add(3)
		wantProgress(t, fmt.Sprint("round ", round), collect(t, there, 5), first, 5)
	}
	log.End()
	wantProgress(t, "the end", collect(t, there, -1), seq+1, 0)
	if there.Err() != nil {
		t.Error(there.Err())
	}
}

// A run whose process is gone and whose stream is lost never ends. Its followers
// are told that the log is lost.
func TestLogIsLost(t *testing.T) {
	t.Parallel()
	server := redis.Start(t, redis.Options{})
	owner, other := openRedis(t, server.URL, roomy), openRedis(t, server.URL, roomy)
	run := uuid.New()
	owner.Create(run).Append(progress(1))
	there := follow(t, other, run, 0)
	collect(t, there, 1)
	if err := server.Client(t).FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	wantProgress(t, "after the loss", collect(t, there, -1), 2, 0)
	if chat.CodeOf(there.Err()) != chat.CodeRunLogExpired {
		t.Errorf("error %v", there.Err())
	}
}

// Each stream expires, also that of a process that was killed, and all have the
// prefix.
func TestStreamsExpire(t *testing.T) {
	t.Parallel()
	server := redis.Start(t, redis.Options{})
	owner := openRedis(t, server.URL, Options{TTL: 10 * time.Minute, MaxBytes: 1 << 20})
	live, ended := owner.Create(uuid.New()), uuid.New()
	live.Append(progress(1))
	log := owner.Create(ended)
	log.Append(progress(1))
	log.End()
	client := server.Client(t)
	ttl := func(key string) time.Duration { return client.PTTL(t.Context(), key).Val() }
	waitFor(t, "both are copied", func() bool { return len(server.Keys(t)) == 2 && ttl(streamKey(ended)) > 0 })
	for _, key := range server.Keys(t) {
		if !strings.HasPrefix(key, keyPrefix) {
			t.Errorf("key %q lacks the prefix", key)
		}
		want := 11 * time.Minute // of a live run: RunTime and TTL
		if key == streamKey(ended) {
			want = 10 * time.Minute
		}
		waitFor(t, "the key expires", func() bool { left := ttl(key); return left > want-time.Minute && left <= want })
	}
}

// Deltas are gathered: a delta is no round trip, and no entry of its own.
func TestEventsAreGathered(t *testing.T) {
	t.Parallel()
	const deltas = 5000
	server := redis.Start(t, redis.Options{})
	owner, other := openRedis(t, server.URL, roomy), openRedis(t, server.URL, roomy)
	run, item := uuid.New(), uuid.New()
	start := time.Now()
	log := owner.Create(run)
	var text strings.Builder
	for range deltas {
		text.WriteByte('x')
		log.AppendText(item, text.String())
	}
	log.End()
	if got := len(collect(t, follow(t, other, run, 0), -1)); got != deltas {
		t.Errorf("%d events, want %d", got, deltas)
	}
	entries := server.Client(t).XLen(t.Context(), streamKey(run)).Val()
	most := deltas/maxPoll + 2 + 2*int64(time.Since(start)/gatherTime)
	if entries > most {
		t.Errorf("%d entries for %d deltas, want at most %d", entries, deltas, most)
	}
}

// What is not copied yet when the process stops is copied before it does.
func TestCloseCopiesTheRest(t *testing.T) {
	t.Parallel()
	server := redis.Start(t, redis.Options{})
	owner, err := NewRedis(RedisOptions{URL: server.URL, Memory: roomy, RunTime: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	run := uuid.New()
	log := owner.Create(run)
	log.Append(progress(1))
	log.End()
	if err := owner.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	f, err := openRedis(t, server.URL, roomy).Follow(t.Context(), run, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	wantProgress(t, "after the stop", collect(t, f, -1), 1, 1)
}

// Logs that Redis never took do not fill the memory: they are dropped with the
// memory's.
func TestUncopiedLogsAreDropped(t *testing.T) {
	t.Parallel()
	server := redis.Start(t, redis.Options{})
	owner := openRedis(t, server.URL, Options{TTL: time.Minute, MaxBytes: 0})
	server.Kill()
	for range 1000 {
		log := owner.Create(uuid.New())
		log.Append(progress(1))
		log.End()
	}
	waitFor(t, "no log is pending", func() bool {
		owner.publisher.mu.Lock()
		defer owner.publisher.mu.Unlock()
		return len(owner.publisher.pending) == 0
	})
}

func TestURLIsInvalid(t *testing.T) {
	t.Parallel()
	_, err := NewRedis(RedisOptions{URL: "redis://user:hunter2@host:x"})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error %v", err)
	}
}

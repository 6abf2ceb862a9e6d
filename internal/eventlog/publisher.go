package eventlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// gatherTime is how long events wait for others, so that one round trip copies the
// events of all runs.
const gatherTime = 10 * time.Millisecond

// publisher copies the logs of this process to Redis.
type publisher struct {
	client  *redis.Client
	memory  *Memory
	logger  *slog.Logger
	ttl     time.Duration
	liveTTL time.Duration

	mu sync.Mutex
	// pending are the publications of the logs that have new events.
	pending []*publication
	// wake receives a value when pending is no longer empty.
	wake chan struct{}
	// failing says that the last request failed. Only run uses it.
	failing bool

	stop, done chan struct{}
}

// publication is the copying of one log.
type publication struct {
	log *log
	key string
	// isPending says that the publication is in publisher.pending.
	isPending atomic.Bool
	// follower is at the last event that was copied; nil if the stream has to be
	// written from the first event on.
	follower chat.Follower
}

func newPublisher(client *redis.Client, memory *Memory, o RedisOptions) *publisher {
	p := &publisher{
		client: client, memory: memory, logger: o.Logger, ttl: o.Memory.TTL, liveTTL: o.RunTime + o.Memory.TTL,
		wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
	go p.run()
	return p
}

// add copies a new log from now on.
func (p *publisher) add(l *log) {
	one := &publication{log: l, key: streamKey(l.run)}
	l.onAppend(func() { p.enqueue(one) })
}

// enqueue says that a log has new events. It does not block.
func (p *publisher) enqueue(one *publication) {
	if !one.isPending.CompareAndSwap(false, true) {
		return
	}
	p.mu.Lock()
	p.pending = append(p.pending, one)
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

func (p *publisher) takePending() []*publication {
	p.mu.Lock()
	defer p.mu.Unlock()
	pending := p.pending
	p.pending = nil
	for _, one := range pending {
		one.isPending.Store(false)
	}
	return pending
}

func (p *publisher) run() {
	defer close(p.done)
	for {
		select {
		case <-p.wake:
		case <-p.stop:
			return
		}
		if !p.sleep(gatherTime) {
			return
		}
		if failed := p.publish(context.Background(), p.takePending()); failed && !p.sleep(retryPause) {
			return
		}
	}
}

// sleep returns false if the publisher is closed.
func (p *publisher) sleep(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-p.stop:
		return false
	}
}

// close copies what is not copied yet.
func (p *publisher) close(ctx context.Context) error {
	close(p.stop)
	<-p.done
	for pending := p.takePending(); len(pending) > 0; pending = p.takePending() {
		if p.publish(ctx, pending) {
			return errors.New("the last events of runs could not be copied to Redis")
		}
	}
	return nil
}

// publish copies the new events of logs in one round trip. Those that could not be
// copied are enqueued again. It reports whether there are any.
func (p *publisher) publish(ctx context.Context, pending []*publication) (failed bool) {
	pipe := p.client.Pipeline()
	commands := make([][]redis.Cmder, len(pending))
	for n, one := range pending {
		commands[n] = p.addCommands(ctx, pipe, one)
	}
	if pipe.Len() == 0 {
		return false
	}
	_, err := pipe.Exec(ctx)
	for n, one := range pending {
		if commandsErr := firstError(commands[n]); commandsErr != nil {
			one.restart()
			if p.memory.find(one.log.run) == one.log {
				p.enqueue(one) // A log that memory has dropped is not copied any more.
				failed = true
			}
		}
	}
	p.report(err, failed)
	return failed
}

func firstError(commands []redis.Cmder) error {
	for _, command := range commands {
		if err := command.Err(); err != nil {
			return err
		}
	}
	return nil
}

// addCommands adds the commands that copy a log's new events. The stream is written
// as a whole if it was not written yet, or if it is not known what Redis has of it.
func (p *publisher) addCommands(ctx context.Context, pipe redis.Pipeliner, one *publication) (commands []redis.Cmder) {
	if one.follower == nil {
		one.follower = one.log.Follow(0)
		commands = append(commands, pipe.Del(ctx, one.key))
	}
	for {
		before := one.follower.Seq()
		events, ended := one.follower.Poll()
		if len(events) > 0 {
			commands = append(commands, p.addEntry(ctx, pipe, one, events))
		}
		if len(events) > 0 && before == 0 {
			commands = append(commands, pipe.PExpire(ctx, one.key, p.liveTTL))
		}
		if ended {
			return append(commands, addEnd(ctx, pipe, one), pipe.PExpire(ctx, one.key, p.ttl))
		}
		if len(events) == 0 {
			return commands
		}
	}
}

// addEntry adds the events, the last ones that the follower returned. Only the first
// entry creates the stream: if Redis has lost it, it is to be written as a whole.
func (p *publisher) addEntry(
	ctx context.Context, pipe redis.Pipeliner, one *publication, events []chat.Event,
) redis.Cmder {
	data, err := encodeEvents(events)
	if err != nil { // The types of events can be encoded.
		p.logger.ErrorContext(ctx, "the events of a run cannot be encoded for Redis", "run", one.log.run, "error", err)
	}
	last := one.follower.Seq()
	return pipe.XAdd(ctx, &redis.XAddArgs{
		Stream: one.key, NoMkStream: last > len(events), ID: fmt.Sprint(last, "-0"), Values: []any{eventsField, data},
	})
}

// addEnd adds the mark of the end.
func addEnd(ctx context.Context, pipe redis.Pipeliner, one *publication) redis.Cmder {
	last := one.follower.Seq()
	return pipe.XAdd(ctx, &redis.XAddArgs{
		Stream: one.key, NoMkStream: last > 0, ID: fmt.Sprint(last, "-1"), Values: []any{endField, "1"},
	})
}

// restart has the stream written from the first event on.
func (one *publication) restart() {
	one.follower.Close()
	one.follower = nil
}

// report logs that Redis became unreachable, and that it is back.
func (p *publisher) report(err error, failed bool) {
	switch {
	case failed && !p.failing:
		p.logger.Error("the events of runs cannot be copied to Redis; other replicas cannot follow them", "error", err)
	case !failed && p.failing:
		p.logger.Info("the events of runs are copied to Redis again")
	}
	p.failing = failed
}

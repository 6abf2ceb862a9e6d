package eventlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

const (
	// readBlock is how long a read of Redis waits for new entries. A run that is
	// followed for the first time meanwhile waits for the next read.
	readBlock = 50 * time.Millisecond
	// readCount is the maximum number of entries of a stream in one read.
	readCount = 500
	// checkPause is the time between two checks of the streams, and maxMissing how
	// many checks in a row find no stream of a run whose log is lost.
	checkPause = 2 * time.Second
	maxMissing = 3
)

// mirrors are copies of the logs of other processes that have followers in this
// one. One connection reads them all.
type mirrors struct {
	client *redis.Client
	logger *slog.Logger
	ctx    context.Context //nolint:containedctx // It ends when the mirrors are closed.
	cancel context.CancelFunc
	done   chan struct{}

	mu    sync.Mutex
	byRun map[uuid.UUID]*mirror
	// wake receives a value when byRun is no longer empty.
	wake chan struct{}
}

// mirror is a copy of the log of another process.
type mirror struct {
	key string
	log *log
	// loaded is closed when the events so far were read; err is the error of that.
	loaded chan struct{}
	err    error
	// followers is their number; mirrors.mu guards it.
	followers int
	// position is the id of the last entry that was read.
	position string
	ended    bool
	// missing is how many checks in a row found no stream.
	missing int
	// item and text are the item of the last text delta and its text so far.
	item uuid.UUID
	text *strings.Builder
}

func newMirrors(client *redis.Client, logger *slog.Logger) *mirrors {
	m := &mirrors{
		client: client, logger: logger, done: make(chan struct{}), byRun: make(map[uuid.UUID]*mirror), wake: make(chan struct{}, 1),
	}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	go m.run()
	return m
}

func (m *mirrors) close() {
	m.cancel()
	<-m.done
}

// follow follows the log of another process. Returns ErrRunLogExpired if Redis has
// no log of the run, and SERVICE_UNAVAILABLE if it is unreachable.
func (m *mirrors) follow(ctx context.Context, run uuid.UUID, after int) (chat.Follower, error) {
	one, isNew := m.join(run)
	if isNew {
		one.err = m.load(one)
		close(one.loaded)
		m.wakeUp()
	}
	select {
	case <-one.loaded:
	case <-ctx.Done():
		m.leave(run, one)
		return nil, ctx.Err()
	}
	if one.err != nil {
		m.leave(run, one)
		return nil, one.err
	}
	return &mirrorFollower{Follower: one.log.Follow(after), leave: func() { m.leave(run, one) }}, nil
}

// join returns the mirror of a run, and whether the caller must load it.
func (m *mirrors) join(run uuid.UUID) (one *mirror, isNew bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	one = m.byRun[run]
	if one == nil {
		isNew = true
		one = &mirror{key: streamKey(run), log: &log{run: run}, loaded: make(chan struct{}), position: "0", text: new(strings.Builder)}
		m.byRun[run] = one
	}
	one.followers++
	return one, isNew
}

// leave drops a mirror with its last follower.
func (m *mirrors) leave(run uuid.UUID, one *mirror) {
	m.mu.Lock()
	defer m.mu.Unlock()
	one.followers--
	if one.followers == 0 && m.byRun[run] == one {
		delete(m.byRun, run)
	}
}

func (m *mirrors) wakeUp() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// load reads the events so far. The first follower loads for all, so that its
// disconnection does not end it.
func (m *mirrors) load(one *mirror) error {
	for {
		entries, err := m.client.XRangeN(m.ctx, one.key, "("+one.position, "+", readCount).Result()
		if err != nil {
			return unavailable(err)
		}
		if err := one.add(entries); err != nil {
			return unavailable(err)
		}
		if len(entries) < readCount {
			break
		}
	}
	if one.log.length == 0 && !one.ended {
		return chat.ErrRunLogExpired()
	}
	return nil
}

// run reads the new entries of all mirrors.
func (m *mirrors) run() {
	defer close(m.done)
	var checked time.Time
	for m.ctx.Err() == nil {
		streams, byKey := m.positions()
		if len(streams) == 0 {
			select {
			case <-m.wake:
			case <-m.ctx.Done():
			}
			continue
		}
		err := m.read(streams, byKey)
		if err == nil && time.Since(checked) > checkPause {
			checked = time.Now()
			err = m.checkStreams(byKey)
		}
		if err != nil && m.ctx.Err() == nil {
			m.logger.Warn("the events of runs of other replicas cannot be read; it is tried again", "error", err)
			select {
			case <-time.After(retryPause):
			case <-m.ctx.Done():
			}
		}
	}
}

// positions returns the keys of the live mirrors and then their positions, as XREAD
// takes them.
func (m *mirrors) positions() (streams []string, byKey map[string]*mirror) {
	m.mu.Lock()
	defer m.mu.Unlock()
	byKey = make(map[string]*mirror)
	var positions []string
	for _, one := range m.byRun {
		select {
		case <-one.loaded:
		default:
			continue
		}
		if one.err == nil && !one.ended {
			byKey[one.key] = one
			streams, positions = append(streams, one.key), append(positions, one.position)
		}
	}
	return append(streams, positions...), byKey
}

func (m *mirrors) read(streams []string, byKey map[string]*mirror) error {
	read, err := m.client.XRead(m.ctx, &redis.XReadArgs{Streams: streams, Count: readCount, Block: readBlock}).Result()
	if errors.Is(err, redis.Nil) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, stream := range read {
		one := byKey[stream.Stream]
		one.missing = 0
		if err := one.add(stream.Messages); err != nil {
			m.logger.ErrorContext(m.ctx, "the events of a run of another replica cannot be read", "run", one.log.run, "error", err)
			one.finish(unavailable(err))
		}
	}
	return nil
}

// checkStreams ends the mirrors whose streams Redis has no more: it was restarted
// empty, and the process that executed the run does not run any more.
func (m *mirrors) checkStreams(byKey map[string]*mirror) error {
	pipe := m.client.Pipeline()
	counts := make(map[*mirror]*redis.IntCmd, len(byKey))
	for key, one := range byKey {
		counts[one] = pipe.Exists(m.ctx, key)
	}
	if _, err := pipe.Exec(m.ctx); err != nil {
		return err
	}
	for one, count := range counts {
		if one.missing++; count.Val() > 0 {
			one.missing = 0
		}
		if one.missing == maxMissing {
			one.finish(chat.ErrRunLogExpired())
		}
	}
	return nil
}

// add adds the events of entries. Events that the mirror has already are left out:
// the process that executes the run may have written its stream anew, with other
// entries.
func (one *mirror) add(entries []redis.XMessage) error {
	for _, entry := range entries {
		if _, isEnd := entry.Values[endField]; isEnd {
			one.finish(nil)
			return nil
		}
		var last int
		if _, err := fmt.Sscanf(entry.ID, "%d-", &last); err != nil {
			return fmt.Errorf("entry %q of %s: its id is no sequence number", entry.ID, one.key)
		}
		data, _ := entry.Values[eventsField].(string)
		events, err := decodeEvents([]byte(data))
		if err != nil {
			return fmt.Errorf("entry %q of %s: %w", entry.ID, one.key, err)
		}
		known := one.log.length - (last - len(events))
		if known < 0 {
			return fmt.Errorf("entry %q of %s: events before it are missing", entry.ID, one.key)
		}
		one.append(events[min(known, len(events)):])
		one.position = entry.ID
	}
	return nil
}

// finish ends the log of the mirror; see log.end.
func (one *mirror) finish(err error) {
	one.ended = true
	one.log.end(err)
}

func (one *mirror) append(events []chat.Event) {
	for _, event := range events {
		delta, ok := event.(*chat.TextDelta)
		if !ok {
			one.log.Append(event)
			continue
		}
		if delta.ItemID != one.item {
			one.item, one.text = delta.ItemID, new(strings.Builder)
		}
		one.text.WriteString(delta.Delta)
		one.log.AppendText(delta.ItemID, one.text.String())
	}
}

// mirrorFollower leaves its mirror when it is closed.
type mirrorFollower struct {
	chat.Follower

	leave func()
	once  sync.Once
}

// Close implements [chat.Follower].
func (f *mirrorFollower) Close() {
	f.Follower.Close()
	f.once.Do(f.leave)
}

package eventlog

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// Options bound what a Memory keeps.
type Options struct {
	// TTL is how long a log is kept after its end.
	TTL time.Duration
	// MaxBytes bounds the logs that have ended, all together; the oldest is
	// dropped first. A log that has not ended is never dropped.
	MaxBytes int
}

// Memory is a [chat.EventLog] in the memory of this process.
type Memory struct {
	options Options

	mu   sync.Mutex
	logs map[uuid.UUID]*log
	// ended are the logs that have ended, the oldest first, and endedBytes their
	// size.
	ended      []*log
	endedBytes int
}

// NewMemory returns an empty Memory.
func NewMemory(o Options) *Memory {
	return &Memory{options: o, logs: make(map[uuid.UUID]*log)}
}

// Create implements [chat.EventLog].
func (m *Memory) Create(run uuid.UUID) chat.RunLog { return m.create(run) }

func (m *Memory) create(run uuid.UUID) *log {
	l := &log{run: run, memory: m}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.logs[run] = l
	return l
}

// Follow implements [chat.EventLog].
func (m *Memory) Follow(_ context.Context, run uuid.UUID, after int) (chat.Follower, error) {
	l := m.find(run)
	if l == nil {
		return nil, chat.ErrRunLogExpired()
	}
	return l.Follow(after), nil
}

// find returns the log of a run; nil if there is none.
func (m *Memory) find(run uuid.UUID) *log {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.logs[run]
}

// keep keeps a log that has ended until it expires, and drops the oldest ones
// that there is no room for.
func (m *Memory) keep(l *log, size int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l.size = size
	m.ended = append(m.ended, l)
	m.endedBytes += size
	for m.endedBytes > m.options.MaxBytes {
		m.dropOldest()
	}
	time.AfterFunc(m.options.TTL, func() { m.expire(l) })
}

// expire drops a log whose time is over, with those that ended before it.
func (m *Memory) expire(l *log) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.logs[l.run] == l {
		m.dropOldest()
	}
}

// dropOldest is called with the lock held.
func (m *Memory) dropOldest() {
	oldest := m.ended[0]
	m.ended[0] = nil
	m.ended = m.ended[1:]
	m.endedBytes -= oldest.size
	delete(m.logs, oldest.run)
}

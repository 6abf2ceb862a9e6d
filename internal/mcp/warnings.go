package mcp

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// warningInterval is the least time between two equal warnings.
	warningInterval = time.Minute
	// maxWarnings bounds how many different warnings are remembered.
	maxWarnings = 1000
)

// warnings logs warnings about a server, and none again within a minute: the
// list of tools is read often, and its faults stay the same.
type warnings struct {
	logger *slog.Logger

	mu     sync.Mutex
	logged map[string]time.Time
}

func newWarnings(logger *slog.Logger) *warnings {
	return &warnings{logger: logger, logged: make(map[string]time.Time)}
}

// warn logs a message about a subject, such as a tool's name.
func (w *warnings) warn(ctx context.Context, message, subject string, attributes ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key, now := message+"\x00"+subject, time.Now()
	if last, ok := w.logged[key]; ok && now.Sub(last) < warningInterval {
		return
	}
	if len(w.logged) >= maxWarnings {
		for key, last := range w.logged {
			if now.Sub(last) >= warningInterval {
				delete(w.logged, key)
			}
		}
		if len(w.logged) >= maxWarnings {
			return
		}
	}
	w.logged[key] = now
	w.logger.WarnContext(ctx, message, attributes...)
}

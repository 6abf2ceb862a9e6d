package ratelimit

import "time"

// windows remembers when each window began. All windows last equally long, so
// the order of their beginnings is the order of their ends and nothing has to
// be searched to find those that are over.
type windows struct {
	starts map[string]time.Duration
	queue  []windowStart
}

type windowStart struct {
	key string
	at  time.Duration
}

func newWindows() windows {
	return windows{starts: make(map[string]time.Duration)}
}

// live tells when the key's window began, if it is not over.
func (w *windows) live(key string, now time.Duration) (time.Duration, bool) {
	start, ok := w.starts[key]

	return start, ok && now-start < Window
}

func (w *windows) begin(key string, now time.Duration) {
	w.starts[key] = now
	w.queue = append(w.queue, windowStart{key: key, at: now})
}

// forget drops at most count windows that are over and tells how many.
func (w *windows) forget(now time.Duration, count int) int {
	dropped := 0
	for dropped < count && len(w.queue) > 0 && now-w.queue[0].at >= Window {
		oldest := w.queue[0]
		w.queue[0] = windowStart{}
		w.queue = w.queue[1:]
		dropped++
		// The key may have begun a newer window since.
		if w.starts[oldest.key] == oldest.at {
			delete(w.starts, oldest.key)
		}
	}

	if dropped > 0 && len(w.queue) == 0 {
		*w = newWindows() // a map never shrinks
	}

	return dropped
}

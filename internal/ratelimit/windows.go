package ratelimit

import "time"

// windows holds the start of each window. All windows last equally long, so the
// queue of their starts is in the order of their ends, and those that are over
// are found without a search.
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

// live returns the start of the key's window, if it is not over.
func (w *windows) live(key string, now time.Duration) (time.Duration, bool) {
	start, ok := w.starts[key]

	return start, ok && now-start < Window
}

func (w *windows) begin(key string, now time.Duration) {
	w.starts[key] = now
	w.queue = append(w.queue, windowStart{key: key, at: now})
}

// forget drops at most count windows that are over and returns how many.
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
		*w = newWindows() // because a map never shrinks
	}

	return dropped
}

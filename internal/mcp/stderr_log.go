package mcp

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// maxLineBytes is how much of a line of stderr is kept, in bytes.
	maxLineBytes = 500
	// maxLinesPerWindow is how many lines are logged in each logWindow.
	maxLinesPerWindow = 60
	logWindow         = time.Minute
)

// words takes a command's stderr, line by line, into the log.
type stderrLog struct {
	logger *slog.Logger
	redact redactor

	mu      sync.Mutex
	line    []byte // the beginning of one that is not complete
	said    string
	window  time.Time
	inside  int // lines of this window
	dropped int
}

func newStderrLog(logger *slog.Logger, redact redactor) *stderrLog {
	return &stderrLog{logger: logger, redact: redact}
}

// Write implements [io.Writer]; it never fails and keeps no long line.
func (w *stderrLog) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(p)
	for {
		part, rest, complete := bytes.Cut(p, []byte("\n"))
		w.line = append(w.line, part[:min(len(part), maxLineBytes-len(w.line))]...)
		if !complete {
			return n, nil
		}
		w.tell()
		p = rest
	}
}

// tell logs a line, within bounds.
func (w *stderrLog) tell() {
	text := w.redact.forLog(string(bytes.TrimSpace(w.line)))
	w.line = w.line[:0]
	if text == "" {
		return
	}
	w.said = text
	if now := time.Now(); now.Sub(w.window) > logWindow {
		if w.dropped > 0 {
			w.logger.Warn("lines of a tool server's stderr were left out", "lines", w.dropped)
		}
		w.window, w.inside, w.dropped = now, 0, 0
	}
	if w.inside++; w.inside > maxLinesPerWindow {
		w.dropped++
		if w.dropped == 1 {
			w.logger.Warn("a tool server writes much to stderr; lines are left out", "most_lines", maxLinesPerWindow, "in", logWindow)
		}
		return
	}
	w.logger.InfoContext(context.Background(), "a tool server says on stderr", "text", text)
}

// last is the last line.
func (w *stderrLog) last() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.said
}

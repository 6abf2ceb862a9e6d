package mcp

import (
	"bytes"
	"log/slog"
	"sync"
	"time"
)

const (
	// maxLineBytes is how much of a line is logged.
	maxLineBytes = 500
	// maxLinesPerWindow is how many lines are logged in each logWindow.
	maxLinesPerWindow = 60
	logWindow         = time.Minute
)

// outputLog logs what a server writes outside of the protocol, line by line:
// redacted, shortened and limited in rate.
type outputLog struct {
	logger *slog.Logger
	redact redactor
	source string // such as stderr

	mu      sync.Mutex
	line    []byte // the beginning of an incomplete line
	last    string
	window  time.Time
	logged  int // lines in this window
	dropped int
}

func newOutputLog(logger *slog.Logger, redact redactor, source string) *outputLog {
	return &outputLog{logger: logger, redact: redact, source: source}
}

// Write implements [io.Writer]. It never fails.
func (o *outputLog) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := len(p)
	for {
		part, rest, complete := bytes.Cut(p, []byte("\n"))
		o.line = append(o.line, part[:min(len(part), maxLineBytes-len(o.line))]...)
		if !complete {
			return n, nil
		}
		o.logLine()
		p = rest
	}
}

// add logs a text as one line.
func (o *outputLog) add(text []byte) {
	text = bytes.ReplaceAll(text[:min(len(text), maxLineBytes)], []byte("\n"), []byte(" "))
	_, _ = o.Write(append(text, '\n')) // Write never fails.
}

func (o *outputLog) logLine() {
	text := o.redact.forLog(string(bytes.TrimSpace(o.line)))
	o.line = o.line[:0]
	if text == "" {
		return
	}
	o.last = text
	if now := time.Now(); now.Sub(o.window) > logWindow {
		if o.dropped > 0 {
			o.logger.Warn("lines of a tool server's output were not logged", "source", o.source, "lines", o.dropped)
		}
		o.window, o.logged, o.dropped = now, 0, 0
	}
	if o.logged++; o.logged > maxLinesPerWindow {
		o.dropped++
		if o.dropped == 1 {
			o.logger.Warn("a tool server writes too much; further lines are not logged",
				"source", o.source, "most_lines", maxLinesPerWindow, "in", logWindow)
		}
		return
	}
	o.logger.Info("output of a tool server", "source", o.source, "text", text)
}

// lastLine returns the last complete line.
func (o *outputLog) lastLine() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.last
}

package mcp

import (
	"bufio"
	"bytes"
	"io"
)

// eventReader reads a stream of server-sent events and passes on those whose
// data is a JSON-RPC message. Of others, such as a heartbeat, it passes on the
// id and the retry time alone, and logs the data.
type eventReader struct {
	source   *bufio.Reader
	sanitize *sanitizer
	log      *outputLog

	event   event
	pending []byte // events that are not read yet
	err     error
}

// event is an event whose end has not been read.
type event struct {
	name    []byte
	data    []byte
	hasData bool
	// kept are its other lines.
	kept []byte
}

func newEventReader(source io.Reader, sanitize *sanitizer, log *outputLog) *eventReader {
	return &eventReader{source: bufio.NewReader(source), sanitize: sanitize, log: log}
}

// Read implements [io.Reader].
func (r *eventReader) Read(p []byte) (int, error) {
	for len(r.pending) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		var line []byte
		line, r.err = readLine(r.source)
		r.add(bytes.TrimRight(line, "\r\n"))
		if r.err != nil {
			r.end() // The last event may lack its blank line.
		}
	}
	n := copy(p, r.pending)
	r.pending = r.pending[n:]
	return n, nil
}

// add adds a line to the event, or ends it.
func (r *eventReader) add(line []byte) {
	if len(line) == 0 {
		r.end()
		return
	}
	field, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(field) {
	case "data":
		if r.event.hasData {
			r.event.data = append(r.event.data, '\n')
		}
		r.event.hasData = true
		r.event.data = append(r.event.data, value[:min(len(value), max(0, maxMessage-len(r.event.data)))]...)
	case "event":
		r.event.name = append(r.event.name[:0], value...)
	case "id", "retry":
		r.event.kept = append(append(r.event.kept, line...), '\n')
	}
}

func (r *eventReader) end() {
	ended := r.event
	r.event = event{}
	if name := string(ended.name); ended.hasData && (name == "" || name == "message") {
		if message, err := r.sanitize.message(ended.data); err == nil {
			ended.kept = append(append(append(ended.kept, "data: "...), bytes.ReplaceAll(message, []byte("\n"), nil)...), '\n')
		} else {
			r.log.add(ended.data)
		}
	}
	if len(ended.kept) > 0 {
		r.pending = append(append(r.pending, ended.kept...), '\n')
	}
}

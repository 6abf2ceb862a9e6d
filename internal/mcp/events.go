package mcp

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// retrySoon asks the library to resume a stream after 100 ms. It would wait for
// one to two seconds.
const retrySoon = "retry: 100\n\n"

// eventReader reads a stream of server-sent events and passes on those whose
// data is a JSON-RPC message. Of others, such as a heartbeat, it passes on the
// id and the retry time alone, and logs the data.
type eventReader struct {
	source   *bufio.Reader
	sanitize *sanitizer
	log      *outputLog
	// resumable says that the stream carries the answer to a call, so that the
	// library resumes it where it was cut.
	resumable bool

	event   event
	retry   bool   // the server has sent a retry time
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

// newCallReader reads the stream that carries the answer to a call.
func newCallReader(source io.Reader, sanitize *sanitizer, log *outputLog) *eventReader {
	r := newEventReader(source, sanitize, log)
	r.resumable = true
	return r
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
			r.finish()
		}
	}
	n := copy(p, r.pending)
	r.pending = r.pending[n:]
	return n, nil
}

// add adds a line to the event, or ends it.
func (r *eventReader) add(line []byte) {
	if len(line) == 0 {
		r.end(true)
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
		r.retry = r.retry || field[0] == 'r'
		r.event.kept = append(append(r.event.kept, line...), '\n')
	}
}

// finish ends the stream.
func (r *eventReader) finish() {
	r.end(false)
	if r.resumable && !r.retry && !errors.Is(r.err, io.EOF) {
		r.pending = append(r.pending, retrySoon...)
	}
}

// end ends an event. The last event of a stream may lack its blank line, but
// counts only if it is whole: a stream that is resumed after the id of half an
// event would lack that event.
func (r *eventReader) end(whole bool) {
	ended := r.event
	r.event = event{}
	if name := string(ended.name); ended.hasData && (name == "" || name == "message") {
		if message, err := r.sanitize.message(ended.data); err == nil {
			whole = true
			ended.kept = append(append(append(ended.kept, "data: "...), bytes.ReplaceAll(message, []byte("\n"), nil)...), '\n')
		} else {
			r.log.add(ended.data)
		}
	}
	if whole && len(ended.kept) > 0 {
		r.pending = append(append(r.pending, ended.kept...), '\n')
	}
}

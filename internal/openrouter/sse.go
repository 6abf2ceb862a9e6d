package openrouter

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

const (
	whiteSpace    = " \t\r\n"
	byteOrderMark = "\ufeff"

	// bufferSize is enough for some six usual chunks. There is one for each
	// live stream, so it is kept small.
	bufferSize = 2 << 10
	// maxEvent bounds a line, an event and a body that is not a stream. It is
	// the bound of an answer, since an image or a whole answer comes as one
	// event.
	maxEvent = chat.MaxAnswerBytes
	// keepSize is the largest buffer kept after a long event.
	keepSize = 64 << 10
	// maxEmptyReads is how often a reader may return nothing at all.
	maxEmptyReads = 100
)

// eventReader reads the data of server-sent events from a body, as the WHATWG
// HTML standard says (section 9.2.6): lines end with LF, CR or CRLF, and several
// data lines make one event. It ignores comments and most other fields. A line
// "error: …" and a line of bare JSON, with which some servers report a failure in
// the middle of a stream, are read as events of type error.
type eventReader struct {
	source io.Reader
	buf    []byte
	// buf[start:end] is not taken yet; its first scanned bytes hold no line end.
	start, end, scanned int
	// afterCR: a line feed that comes next belongs to the line before.
	afterCR bool

	data    []byte
	hasData bool
	// isError reports whether the type of the event that is being read is error,
	// and wasError the same of the event that was returned last.
	isError, wasError bool
	// hasUnknown reports whether the event that is being read has a field that is
	// not of the protocol.
	hasUnknown bool
	// commented reports whether a comment has come, and foreign whether text has
	// come that is not of the protocol: fields that belong to no data.
	commented, foreign bool
}

// buffered returns the next event that is complete in the buffer. The data is
// valid until the next call. False means that [eventReader.fill] is needed.
func (r *eventReader) buffered() ([]byte, bool, error) {
	for {
		line, ok := r.line()
		if !ok {
			return nil, false, nil
		}
		if len(line) == 0 {
			if r.endEvent() {
				return r.data, true, nil
			}
			continue
		}
		if err := r.field(line); err != nil {
			return nil, false, err
		}
	}
}

// rest returns the event that the body's end completed, if there is one. The
// standard drops it; servers that forget the last blank line are common.
func (r *eventReader) rest() ([]byte, bool, error) {
	line := r.buf[r.start:r.end]
	r.start, r.scanned = r.end, 0
	if err := r.field(line); err != nil {
		return nil, false, err
	}
	return r.data, r.endEvent(), nil
}

// endEvent reports whether the event that ends here has data.
func (r *eventReader) endEvent() bool {
	hasData := r.hasData
	r.foreign = r.foreign || r.hasUnknown && !hasData
	r.hasData, r.hasUnknown, r.wasError, r.isError = false, false, r.isError, false
	return hasData
}

// line takes a line out of the buffer, without its end.
func (r *eventReader) line() ([]byte, bool) {
	if r.afterCR && r.start < r.end {
		if r.buf[r.start] == '\n' {
			r.start++
		}
		r.afterCR = false
	}
	pending := r.buf[r.start:r.end]
	length := bytes.IndexByte(pending[r.scanned:], '\n')
	searched := pending[r.scanned:]
	if length >= 0 {
		searched = searched[:length]
	}
	if cr := bytes.IndexByte(searched, '\r'); cr >= 0 {
		length, r.afterCR = cr, true
	}
	if length < 0 {
		r.scanned = len(pending)
		return nil, false
	}
	line := pending[:r.scanned+length]
	r.start += len(line) + 1
	r.scanned = 0
	return line, true
}

func (r *eventReader) field(line []byte) error {
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(name) {
	case "":
		r.commented = r.commented || len(line) > 0
		return nil
	case "data":
	case "error":
		r.isError = true
	case "event":
		r.isError = string(value) == "error"
		return nil
	case "id", "retry":
		return nil
	default:
		r.hasUnknown = true
		if line[0] != '{' {
			return nil
		}
		r.isError, value = true, line
	}
	return r.addData(value)
}

// addData adds a line to the event's data.
func (r *eventReader) addData(value []byte) error {
	switch {
	case r.hasData:
		r.data = append(r.data, '\n')
	case cap(r.data) > keepSize:
		r.data = nil
	default:
		r.data = r.data[:0]
	}
	r.hasData = true
	if len(r.data)+len(value) > maxEvent {
		return broken(errTooLong)
	}
	r.data = append(r.data, value...)
	return nil
}

// fill reads once from the source, behind what the buffer holds. It blocks
// until at least a byte has come. Its errors are the source's.
func (r *eventReader) fill() error {
	if r.start == r.end {
		r.start, r.end = 0, 0
		if r.buf == nil || len(r.buf) > keepSize {
			r.buf = make([]byte, bufferSize)
		}
	}
	if r.end == len(r.buf) {
		if err := r.makeRoom(); err != nil {
			return err
		}
	}
	for range maxEmptyReads {
		n, err := r.source.Read(r.buf[r.end:])
		r.end += n
		if n > 0 {
			return nil // an error beside it comes again with the next read
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// makeRoom moves the bytes to the front of the buffer, or doubles it.
func (r *eventReader) makeRoom() error {
	pending := r.buf[r.start:r.end]
	if r.start == 0 {
		if len(r.buf) >= maxEvent {
			return broken(errTooLong)
		}
		r.buf = make([]byte, 2*len(r.buf))
	}
	r.end = copy(r.buf, pending)
	r.start = 0
	return nil
}

// begin passes over white space and the byte order mark, with which servers
// begin a body or keep a connection awake, and returns the first byte after
// them, which it does not take.
func (r *eventReader) begin() (byte, error) {
	for skipped := 0; skipped <= maxEvent; {
		pending := r.buf[r.start:r.end]
		rest := bytes.TrimLeft(pending, whiteSpace+byteOrderMark)
		skipped += len(pending) - len(rest)
		r.start = r.end - len(rest)
		if len(rest) >= len(byteOrderMark) || (len(rest) > 0 && !strings.HasPrefix(byteOrderMark, string(rest))) {
			return rest[0], nil
		}
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	return 0, broken(errTooLong)
}

// whole returns the body to its end, for one that is not a stream.
func (r *eventReader) whole() ([]byte, error) {
	for {
		err := r.fill()
		if errors.Is(err, io.EOF) {
			return r.buf[r.start:r.end], nil
		}
		if err != nil {
			return nil, err
		}
	}
}

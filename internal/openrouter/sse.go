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

	// bufferSize is enough for about six chunks. It is small because each live
	// stream has a buffer.
	bufferSize = 2 << 10
	// maxEvent bounds a line, an event, and a body that is not a stream. It is
	// the bound of an answer, since an event may have a whole answer or an image.
	maxEvent = chat.MaxAnswerBytes
	// keepSize bounds the buffer that is kept after a long event.
	keepSize = 64 << 10
	// maxEmptyReads bounds consecutive reads without data and error.
	maxEmptyReads = 100
	// headSize is how much of a body [http.DetectContentType] looks at.
	headSize = 512
)

// eventReader reads the data of server-sent events (WHATWG HTML, section 9.2.6) from
// a body: lines end with LF, CR or CRLF, and an event may have several data lines. It
// ignores comments and most other fields. Some servers report an error within a
// stream with a line "error: …" or a line of JSON; such lines become events of type
// error.
type eventReader struct {
	source io.Reader
	buf    []byte
	// buf[start:end] is not consumed yet; its first scanned bytes have no line end.
	start, end, scanned int
	// afterCR reports whether the last line ended with CR, so that a following LF
	// belongs to it.
	afterCR bool

	data    []byte
	hasData bool
	// isError reports whether the current event has the type error, and wasError
	// whether the last returned event had it.
	isError, wasError bool
	// hasUnknown reports whether the current event has a field that is not of the
	// protocol.
	hasUnknown bool
	// hasComment reports whether a comment was read.
	hasComment bool
	// hasForeignText reports whether an event without data had a field that is not
	// of the protocol.
	hasForeignText bool
	// head has the first bytes of the body, at most headSize, between keepHead and
	// dropHead. It is nil otherwise.
	head []byte
}

// keepHead starts to keep the first bytes of the body: those that are in the buffer
// and the next ones.
func (r *eventReader) keepHead() {
	r.head = make([]byte, 0, headSize)
	r.addHead(r.buf[r.start:r.end])
}

func (r *eventReader) dropHead() { r.head = nil }

// addHead adds bytes of the body to head, if head is kept and has room.
func (r *eventReader) addHead(read []byte) {
	if room := cap(r.head) - len(r.head); room > 0 {
		r.head = append(r.head, read[:min(room, len(read))]...)
	}
}

// buffered returns the next event in the buffer. The data is valid until the next
// call. It returns false if the buffer has no complete event; call
// [eventReader.fill] then.
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

// remainder returns the event that the end of the body terminates, if there is one.
// The standard ignores it, but many servers omit the last blank line.
func (r *eventReader) remainder() ([]byte, bool, error) {
	line := r.buf[r.start:r.end]
	r.start, r.scanned = r.end, 0
	if err := r.field(line); err != nil {
		return nil, false, err
	}
	return r.data, r.endEvent(), nil
}

// endEvent ends the current event and reports whether it has data.
func (r *eventReader) endEvent() bool {
	hasData := r.hasData
	r.hasForeignText = r.hasForeignText || r.hasUnknown && !hasData
	r.hasData, r.hasUnknown, r.wasError, r.isError = false, false, r.isError, false
	return hasData
}

// line consumes a line of the buffer and returns it without its end.
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
		r.hasComment = r.hasComment || len(line) > 0
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

// addData adds a data line to the current event.
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

// fill reads more data from the source into the buffer. It blocks until at least one
// byte has arrived. It returns the errors of the source.
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
		r.addHead(r.buf[r.end-n : r.end])
		if n > 0 {
			return nil // the next read returns the error again
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// makeRoom moves the data to the start of the buffer, or doubles the buffer.
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

// firstByte skips white space and the byte order mark at the start of the body, and
// returns the first byte after them without consuming it. Some servers send white
// space to keep the connection open.
func (r *eventReader) firstByte() (byte, error) {
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

// readAll returns the rest of a body that is not a stream.
func (r *eventReader) readAll() ([]byte, error) {
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

package mcp

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// maxMessage bounds a message of a server, in bytes.
const maxMessage = 16 << 20

// messageReader reads a command's stdout and passes on the JSON-RPC messages,
// one a line. Other lines, such as a banner, go to the log.
type messageReader struct {
	source   *bufio.Reader
	sanitize *sanitizer
	log      *outputLog
	pending  []byte // messages that are not read yet
}

func newMessageReader(source io.Reader, sanitize *sanitizer, log *outputLog) *messageReader {
	return &messageReader{source: bufio.NewReader(source), sanitize: sanitize, log: log}
}

// Read implements [io.Reader].
func (r *messageReader) Read(p []byte) (int, error) {
	for len(r.pending) == 0 {
		line, err := readLine(r.source)
		r.add(bytes.TrimSpace(line))
		if err != nil && len(r.pending) == 0 {
			return 0, err
		}
	}
	n := copy(p, r.pending)
	r.pending = r.pending[n:]
	return n, nil
}

// add adds the messages of a line: one, or those of a batch.
func (r *messageReader) add(line []byte) {
	if len(line) == 0 {
		return
	}
	var batch []json.RawMessage
	if line[0] == '[' && json.Unmarshal(line, &batch) == nil {
		for _, each := range batch {
			r.add(each)
		}
		return
	}
	message, err := r.sanitize.message(line)
	if err != nil {
		// A debug text without a line end may stand before a message.
		start := bytes.Index(line, []byte(`{"jsonrpc"`))
		if start > 0 {
			if message, err = r.sanitize.message(line[start:]); err == nil {
				line = line[:start]
			}
		}
		r.log.add(line)
	}
	if err == nil {
		r.pending = append(append(r.pending, bytes.ReplaceAll(message, []byte("\n"), nil)...), '\n')
	}
}

// readLine reads to the end of a line. It returns the beginning of a line that
// is longer than a message may be.
func readLine(source *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := source.ReadSlice('\n')
		line = append(line, part[:min(len(part), maxMessage-len(line))]...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

package loadclient

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"
)

// CountEvents reads an event stream to its end and returns the number of its
// events. It counts the blank lines that end them and parses nothing else.
func CountEvents(body io.Reader, buffer []byte) (int, error) {
	var c eventCounter
	for {
		n, err := body.Read(buffer)
		c.add(buffer[:n])
		if errors.Is(err, io.EOF) {
			return c.events, nil
		}
		if err != nil {
			return c.events, fmt.Errorf("read a stream: %w", err)
		}
	}
}

// eventCounter counts the events in the consecutive pieces of a stream.
type eventCounter struct {
	events int
	// endsLine is true if the last piece ended a line but not an event.
	endsLine bool
}

func (c *eventCounter) add(piece []byte) {
	if len(piece) == 0 {
		return
	}
	if c.endsLine && piece[0] == '\n' {
		c.events++
		piece = piece[1:]
	}
	c.events += bytes.Count(piece, []byte("\n\n"))
	c.endsLine = bytes.HasSuffix(piece, []byte("\n")) && !bytes.HasSuffix(piece, []byte("\n\n"))
}

// ReadLines reads an event stream to its end and calls visit with each line and
// the time at which it was read. It skips lines longer than BufferSize.
func ReadLines(body io.Reader, visit func(line []byte, at time.Time)) error {
	in := bufio.NewReaderSize(body, BufferSize)
	for {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			// A long line is the event with the whole answer, whose stamps were read already.
			err = skipLine(in)
			line = nil
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a stream: %w", err)
		}
		if len(line) > 1 {
			visit(line, time.Now())
		}
	}
}

func skipLine(in *bufio.Reader) error {
	for {
		_, err := in.ReadSlice('\n')
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

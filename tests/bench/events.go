package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"
)

// countEvents reads a stream to its end and counts its events with the least
// work: by the blank lines that end them.
func countEvents(body io.Reader, buffer []byte) (int, error) {
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

// eventCounter counts events over the pieces of a stream.
type eventCounter struct {
	events int
	// open: the last piece ended with a line's end, and not with an event's.
	open bool
}

func (c *eventCounter) add(piece []byte) {
	if len(piece) == 0 {
		return
	}
	if c.open && piece[0] == '\n' {
		c.events++
		piece = piece[1:]
	}
	c.events += bytes.Count(piece, []byte("\n\n"))
	c.open = bytes.HasSuffix(piece, []byte("\n")) && !bytes.HasSuffix(piece, []byte("\n\n"))
}

// readStamps reads a stream of stamped deltas to its end and calls seen for
// each event: with its line, and when it was there to read.
func readStamps(body io.Reader, seen func(line []byte, at time.Time)) error {
	in := bufio.NewReaderSize(body, clientBuffer)
	for {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			// A long event is the whole text again, which tells nothing new.
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
			seen(line, time.Now())
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

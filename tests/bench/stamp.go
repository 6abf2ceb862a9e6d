package main

import (
	"bytes"
	"strconv"
	"time"
)

// A stamped delta says "@" and when the upstream wrote it, in nanoseconds of
// the machine's clock, which client and upstream share. The first one also
// says "#" and when the upstream had the request.
const (
	wroteMark    = '@'
	receivedMark = '#'
	stampDigits  = 19
)

func appendStamp(to []byte, mark byte, at time.Time) []byte {
	return strconv.AppendInt(append(to, mark), at.UnixNano(), 10)
}

// findStamp returns the first time with the mark in a line.
func findStamp(line []byte, mark byte) (time.Time, bool) {
	start := bytes.IndexByte(line, mark) + 1
	if start == 0 || len(line) < start+stampDigits {
		return time.Time{}, false
	}
	var nanos int64
	for _, c := range line[start : start+stampDigits] {
		if c < '0' || c > '9' {
			return time.Time{}, false
		}
		nanos = nanos*10 + int64(c-'0')
	}
	return time.Unix(0, nanos), true
}

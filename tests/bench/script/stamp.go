package script

import (
	"bytes"
	"strconv"
	"time"
)

// The marks of the times in a stamped delta. Each is followed by nanoseconds of
// the machine's clock, which the client and the upstream share.
const (
	// WroteMark is the mark of the time at which the upstream wrote the delta.
	WroteMark = '@'
	// ReceivedMark is the mark of the time at which the upstream had received
	// the request. Only the first delta has it.
	ReceivedMark = '#'

	stampDigits = 19
)

// AppendStamp appends a mark and a time.
func AppendStamp(to []byte, mark byte, at time.Time) []byte {
	return strconv.AppendInt(append(to, mark), at.UnixNano(), 10)
}

// FindStamp returns the time after the first mark in a line.
func FindStamp(line []byte, mark byte) (time.Time, bool) {
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

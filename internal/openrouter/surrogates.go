package openrouter

import (
	"encoding/json"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// escapeSize is the length of an escape like \ud83c.
const escapeSize = 6

// unquote decodes a JSON string as encoding/json does, except that half of a
// surrogate pair at the start or the end of the string is kept in WTF-8, as three
// bytes, since its other half may be in the previous or the next delta. A
// [pairJoiner] replaces these halves.
func unquote(quoted []byte) (string, error) {
	body := quoted[1 : len(quoted)-1]
	var head, tail []byte
	if low, ok := escapedHalf(body, 0); ok && isLow(low) {
		head, body = wtf8(low), body[escapeSize:]
	}
	if high, ok := escapedHalf(body, len(body)-escapeSize); ok && isHigh(high) && !endsInBackslash(body[:len(body)-escapeSize]) {
		tail, body = wtf8(high), body[:len(body)-escapeSize]
	}
	var text string
	if head == nil && tail == nil {
		err := json.Unmarshal(quoted, &text)
		return text, err
	}
	err := json.Unmarshal(append(append([]byte{'"'}, body...), '"'), &text)
	return string(head) + text + string(tail), err
}

// escapedHalf returns the UTF-16 unit of an escape \uXXXX at a place of the body
// of a JSON string, if it is half of a surrogate pair.
func escapedHalf(body []byte, at int) (rune, bool) {
	if at < 0 || len(body) < at+escapeSize || body[at] != '\\' || body[at+1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(body[at+2:at+escapeSize]), 16, 16)
	return rune(unit), err == nil && utf16.IsSurrogate(rune(unit))
}

// endsInBackslash reports whether the text ends in a backslash that escapes what
// follows.
func endsInBackslash(text []byte) bool {
	count := 0
	for count < len(text) && text[len(text)-1-count] == '\\' {
		count++
	}
	return count%2 == 1
}

func isHigh(unit rune) bool { return unit >= 0xd800 && unit < 0xdc00 }
func isLow(unit rune) bool  { return unit >= 0xdc00 && unit < 0xe000 }

// halfSize is the length of half a pair in WTF-8.
const halfSize = 3

// wtf8 encodes half of a pair.
func wtf8(unit rune) []byte {
	return []byte{0xed, byte(0x80 | unit>>6&0x3f), byte(0x80 | unit&0x3f)} //nolint:gosec // seven bits each
}

// halfAt returns the half of a pair at a place of the text, or 0.
func halfAt(text string, at int) rune {
	if at < 0 || len(text) < at+halfSize || text[at] != 0xed || text[at+1] < 0xa0 {
		return 0
	}
	return 0xd000 | rune(text[at+1]&0x3f)<<6 | rune(text[at+2]&0x3f)
}

// pairJoiner joins surrogate pairs whose halves are in two deltas. A half without its
// other half becomes U+FFFD.
type pairJoiner struct {
	// high is the first half of a pair at the end of the last delta, or 0.
	high rune
}

// join converts the text of the next delta, as [unquote] returned it, to UTF-8. It
// holds back half of a pair at the end.
func (j *pairJoiner) join(text string) string {
	if text == "" {
		return ""
	}
	low := halfAt(text, 0)
	if !isLow(low) {
		low = 0
	} else {
		text = text[halfSize:]
	}
	switch {
	case j.high != 0 && low != 0:
		text = string(utf16.DecodeRune(j.high, low)) + text
	case j.high != 0 || low != 0:
		text = string(utf8.RuneError) + text
	}
	j.high = halfAt(text, len(text)-halfSize)
	if j.high != 0 {
		text = text[:len(text)-halfSize]
	}
	return text
}

// flush returns U+FFFD if half of a pair was held back.
func (j *pairJoiner) flush() string {
	if j.high == 0 {
		return ""
	}
	j.high = 0
	return string(utf8.RuneError)
}

package openrouter

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// pattern makes the common case cheap. The text chunks of a stream differ in
// their text alone, so a chunk that has the same bytes before and after it as
// one that was read in full needs no reading but of its text.
type pattern struct {
	// before ends with the quote that opens the text; after begins with the
	// one that closes it.
	before, after []byte
	// misses counts the patterns learned in vain one after another.
	misses int
}

const (
	// maxMisses ends the learning where every chunk differs.
	maxMisses  = 8
	contentKey = `"content":`
	probe      = "probe"
)

// text returns the text of data, if it is of the pattern.
func (p *pattern) text(data []byte) (string, bool) {
	length := len(data) - len(p.before) - len(p.after)
	if p.before == nil || length <= 0 || !bytes.HasPrefix(data, p.before) || !bytes.HasSuffix(data, p.after) {
		return "", false
	}
	text := string(data[len(p.before) : len(p.before)+length])
	if isPlain(text) {
		p.misses = 0
		return text, true
	}
	text, ok := unquote(text)
	if !ok || text == "" {
		return "", false
	}
	p.misses = 0
	return text, true
}

// learn takes the pattern of data, a chunk that says nothing but text. It
// tries the pattern before it trusts it: read in full with another text in
// the place found, the chunk must say that text.
func (p *pattern) learn(data []byte, text string) {
	if text == "" || p.misses >= maxMisses {
		return
	}
	p.misses++
	p.before = nil
	start, end, ok := contentPlace(data)
	if !ok {
		return
	}
	trial := append(append(bytes.Clone(data[:start]), probe...), data[end:]...)
	said, err := decode(trial)
	if err != nil {
		return
	}
	if chunk, err := said.chunk(); err != nil || chunk.Text != probe {
		return
	}
	p.before, p.after = trial[:start:start], trial[start+len(probe):]
}

// contentPlace finds the body of the first string under the key content.
func contentPlace(data []byte) (start, end int, ok bool) {
	at := bytes.Index(data, []byte(contentKey))
	if at < 0 {
		return 0, 0, false
	}
	start = at + len(contentKey)
	for start < len(data) && data[start] == ' ' {
		start++
	}
	if start == len(data) || data[start] != '"' {
		return 0, 0, false
	}
	start++
	for end = start; end < len(data); end++ {
		switch data[end] {
		case '\\':
			end++
		case '"':
			return start, end, true
		}
	}
	return 0, 0, false
}

// unquote reads the body of a string with its quotes, so that the JSON reader
// says whether it is one.
func unquote(body string) (text string, ok bool) {
	err := json.Unmarshal([]byte(`"`+body+`"`), &text)
	return text, err == nil
}

// isPlain says that the body of a JSON string stands for itself.
func isPlain(body string) bool {
	ascii := true
	for n := range len(body) {
		c := body[n]
		if c < ' ' || c == '"' || c == '\\' {
			return false
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	return ascii || utf8.ValidString(body)
}

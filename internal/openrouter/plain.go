package openrouter

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// plainEvent reads the usual chunk: one choice, which says a text and nothing
// else. To read it by reflection, as all others are read, costs the beginning
// of an answer many times as much, and a deep stack. False says that the event
// must be read in full.
func plainEvent(data []byte) (event, bool) {
	said := event{Choices: make([]choice, 1)}
	in := plainReader{string(data)}
	choices := 0
	plain := in.object(func(name string) bool {
		switch name {
		case "id":
			return in.text(&said.ID)
		case "model":
			return in.text(&said.Model)
		case "choices":
			choices++
			return in.take("[") && in.choice(&said.Choices[0]) && in.take("]")
		case "provider", "object", "system_fingerprint", "service_tier", "obfuscation":
			return in.skip()
		case "created":
			return in.digits()
		default:
			return false
		}
	})
	return said, plain && choices == 1 && strings.Trim(in.rest, whiteSpace) == ""
}

// plainReader reads JSON of which it knows each field. Its methods return false
// where something else stands there, or what is no JSON.
type plainReader struct{ rest string }

func (in *plainReader) choice(said *choice) bool {
	return in.object(func(name string) bool {
		switch name {
		case "index":
			return in.take("0")
		case "delta":
			return in.delta(&said.Delta)
		default:
			return false
		}
	})
}

func (in *plainReader) delta(said *message) bool {
	return in.object(func(name string) bool {
		switch name {
		case "role":
			return in.skip()
		case "content":
			return in.text((*string)(&said.Content))
		default:
			return false
		}
	})
}

// object calls read for each field that is not null.
func (in *plainReader) object(read func(name string) bool) bool {
	if !in.take("{") {
		return false
	}
	for first := true; !in.take("}"); first = false {
		if !first && !in.take(",") {
			return false
		}
		name, ok := in.string()
		if !ok || !in.take(":") {
			return false
		}
		isNull := in.take("null")
		if (isNull && isEmptied(name)) || (!isNull && !read(name)) {
			return false
		}
	}
	return true
}

// isEmptied says of a field that null takes from it what it had before; the
// others null leaves as they are.
func isEmptied(name string) bool {
	return strings.EqualFold(name, "choices") || strings.EqualFold(name, "content")
}

// take passes over a token and the white space before it.
func (in *plainReader) take(token string) bool {
	rest, ok := strings.CutPrefix(strings.TrimLeft(in.rest, whiteSpace), token)
	if ok {
		in.rest = rest
	}
	return ok
}

// digits passes over a number from 1 on, without a sign or a fraction.
func (in *plainReader) digits() bool {
	rest := strings.TrimLeft(in.rest, whiteSpace)
	after := strings.TrimLeft(rest, "0123456789")
	in.rest = after
	return len(after) < len(rest) && rest[0] != '0'
}

// text reads a string that is kept: the rest of the event is not kept with it.
func (in *plainReader) text(to *string) bool {
	text, ok := in.string()
	if ok {
		*to = strings.Clone(text)
	}
	return ok
}

// skip passes over a string that says nothing to us.
func (in *plainReader) skip() bool {
	_, ok := in.string()
	return ok
}

// string reads a string as encoding/json does.
func (in *plainReader) string() (string, bool) {
	if !in.take(`"`) {
		return "", false
	}
	end := 0
	for end < len(in.rest) && in.rest[end] != '"' {
		if in.rest[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(in.rest) {
		return "", false
	}
	text := in.rest[:end]
	in.rest = in.rest[end+1:]
	if isPlain(text) {
		return text, true
	}
	return unquote(text)
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

package runs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// readArguments returns the arguments that a model wrote for a tool as a JSON
// object. It reads what can be read in one way only: an empty object before the
// real one, the same object twice, raw line ends in strings, a tag or a fence
// around the object, and an object in a JSON string. A fault says what is wrong
// with anything else, in words for the model.
func readArguments(text string) (object, fault string) {
	text = strings.TrimSpace(text)
	if text == "" || text == "null" {
		return "{}", ""
	}
	if tooDeep([]byte(text)) {
		return "", fmt.Sprintf("the arguments are nested deeper than %d levels", maxDepth)
	}
	object, fault = oneObject(text)
	if fault == "" {
		return object, ""
	}
	for _, repair := range []func(string) string{escapeControls, unwrap, func(s string) string { return escapeControls(unwrap(s)) }, unquoteObject} {
		if repaired := repair(text); repaired != text {
			if object, again := oneObject(repaired); again == "" {
				return object, ""
			}
		}
	}
	return "", fault
}

// oneObject returns the only object in a text of JSON values. Empty objects and
// repetitions do not count beside it.
func oneObject(text string) (object, fault string) {
	var found string
	for decoder := json.NewDecoder(strings.NewReader(text)); ; {
		var value json.RawMessage
		err := decoder.Decode(&value)
		if errors.Is(err, io.EOF) {
			break
		}
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return "", "the JSON of the arguments ends too early"
		}
		if err != nil {
			return "", "the arguments are not valid JSON: " + err.Error()
		}
		if value[0] != '{' {
			return "", "the arguments are JSON, but not an object"
		}
		switch value := string(value); {
		case found == "" || found == "{}":
			found = value
		case value != "{}" && value != found:
			return "", "the arguments are more than one object"
		}
	}
	return found, ""
}

// escapeControls escapes the control characters within the strings of a JSON
// text, such as raw line ends.
func escapeControls(text string) string {
	var (
		escaped  bytes.Buffer
		inString bool
		skip     bool
	)
	for n := range len(text) {
		c := text[n]
		switch {
		case inString && c < ' ':
			fmt.Fprintf(&escaped, `\u%04x`, c)
			skip = false
			continue
		case skip:
			skip = false
		case c == '\\':
			skip = inString
		case c == '"':
			inString = !inString
		}
		escaped.WriteByte(c)
	}
	return escaped.String()
}

// wrapping matches a JSON object with a tag or a Markdown fence before it, after
// it or both.
var wrapping = regexp.MustCompile("(?s)^(?:<[^<>{}]{1,40}>|```[a-z]*)?\\s*(\\{.*\\})\\s*(?:<[^<>{}]{1,40}>|```)?$")

func unwrap(text string) string {
	if match := wrapping.FindStringSubmatch(text); match != nil {
		return match[1]
	}
	return text
}

// unquoteObject returns the text within a JSON string.
func unquoteObject(text string) string {
	var within string
	if json.Unmarshal([]byte(text), &within) != nil || tooDeep([]byte(within)) {
		return text
	}
	return within
}

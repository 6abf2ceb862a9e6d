package runs

import (
	"strings"
	"testing"
)

func TestReadArguments(t *testing.T) {
	t.Parallel()
	const object = `{"city":"Paris","note":"a {b} <c>"}`
	for text, want := range map[string]string{
		object:                                  object,
		"":                                      "{}",
		"null\n":                                "{}",
		"{}":                                    "{}",
		"{}{}":                                  "{}",
		"{}" + object:                           object,
		object + "{}":                           object,
		object + "\n" + object:                  object,
		"{\"a\":\"two\nlines\t\\\"x\"}":         `{"a":"two\u000alines\u0009\"x"}`,
		"<tool_call>" + object + "</tool_call>": object,
		"<tool_call>\n" + object:                object,
		object + "</tool_call>":                 object,
		"```json\n" + object + "\n```":          object,
		"<tool_call>{\"a\":\"b\nc\"}</tool_call>": `{"a":"b\u000ac"}`,
		`"{\"city\":\"Paris\"}"`:                  `{"city":"Paris"}`,
	} {
		if got, fault := readArguments(text); got != want || fault != "" {
			t.Errorf("%q is read as %q (%s), want %q", text, got, fault, want)
		}
	}
	for text, want := range map[string]string{
		`{"city":"Par`:                     "ends too early",
		`{"city":"Paris"`:                  "ends too early",
		`{city:"Paris"}`:                   "not valid JSON",
		`Paris`:                            "not valid JSON",
		`[1]`:                              "not an object",
		`"Paris"`:                          "not an object",
		`7`:                                "not an object",
		`{"a":1}{"a":2}`:                   "more than one",
		`{"a":` + strings.Repeat("[", 200): "nested deeper",
	} {
		if got, fault := readArguments(text); got != "" || !strings.Contains(fault, want) {
			t.Errorf("%q is read as %q (%s), want a fault with %q", text, got, fault, want)
		}
	}
}

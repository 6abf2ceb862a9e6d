package openrouter

import (
	"encoding/json"
	"strings"
)

// detailText is where an entry of reasoning_details has its text, by its type.
// See OpenRouter's documentation, "Reasoning Tokens".
var detailText = map[string]string{
	"reasoning.text":    "text",
	"reasoning.summary": "summary",
}

// detail is an entry of reasoning_details, its values as they came.
type detail map[string]json.RawMessage

// WholeDetails puts together what a stream told in pieces. The details must go
// back as a whole answer would have had them: a provider that signed its
// reasoning refuses pieces of it. What was not in pieces stays as it was, byte
// for byte. What is whole stays so.
func WholeDetails(raw json.RawMessage) json.RawMessage {
	var pieces []detail
	if len(raw) == 0 || json.Unmarshal(raw, &pieces) != nil {
		return raw
	}
	var whole []detail
	total := len(pieces)
	for len(pieces) > 0 {
		count := 1
		for count < len(pieces) && pieces[0].goesOn(pieces[count]) {
			pieces[0].take(pieces[count])
			count++
		}
		whole = append(whole, join(pieces[:count]))
		pieces = pieces[count:]
	}
	joined, err := json.Marshal(whole)
	if err != nil || len(whole) == total {
		return raw
	}
	return joined
}

// join is the first of the pieces with the text of all.
func join(pieces []detail) detail {
	if len(pieces) == 1 {
		return pieces[0]
	}
	key := detailText[pieces[0].text("type")]
	var (
		text  strings.Builder
		pairs pairJoiner
	)
	for _, piece := range pieces {
		text.WriteString(pairs.join(piece.text(key)))
	}
	text.WriteString(pairs.flush())
	joined, err := json.Marshal(text.String())
	if err == nil { // A text is always JSON.
		pieces[0][key] = joined
	}
	return pieces[0]
}

// goesOn says that next is a further piece of d. Pieces of a stream have the
// same type and index and come one after another; a signature ends the text.
func (d detail) goesOn(next detail) bool {
	key := detailText[d.text("type")]
	return key != "" && next.text("type") == d.text("type") &&
		len(d["index"]) > 0 && string(next["index"]) == string(d["index"]) &&
		(d.text("signature") == "" || next.text(key) == "") &&
		(d.text("id") == "" || next.text("id") == "" || d.text("id") == next.text("id"))
}

// take takes what d does not say yet from a further piece, its text left out.
func (d detail) take(next detail) {
	key := detailText[d.text("type")]
	for name, value := range next {
		if known := d[name]; name != key && (len(known) == 0 || string(known) == "null") {
			d[name] = value
		}
	}
}

// text returns the value of a string; empty where it is something else. Half of a
// surrogate pair at its ends is in WTF-8; see [unquote].
func (d detail) text(name string) string {
	if len(d[name]) == 0 || d[name][0] != '"' {
		return ""
	}
	value, err := unquote(d[name])
	if err != nil {
		return ""
	}
	return value
}

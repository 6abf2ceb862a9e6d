package openrouter

import (
	"encoding/json"
	"strings"
)

// detailText has the field of the text of an entry of reasoning_details, by its
// type. See OpenRouter's documentation, "Reasoning Tokens".
var detailText = map[string]string{
	"reasoning.text":    "text",
	"reasoning.summary": "summary",
}

// detail is an entry of reasoning_details.
type detail map[string]json.RawMessage

// JoinDetails joins the entries that a stream split into pieces. A provider that
// signs its reasoning accepts it only in the form that a response without streaming
// has. Details that are not split are returned unchanged, byte for byte.
func JoinDetails(raw json.RawMessage) json.RawMessage {
	var pieces []detail
	if len(raw) == 0 || json.Unmarshal(raw, &pieces) != nil {
		return raw
	}
	var joined []detail
	total := len(pieces)
	for len(pieces) > 0 {
		count := 1
		for count < len(pieces) && pieces[0].isContinuedBy(pieces[count]) {
			pieces[0].merge(pieces[count])
			count++
		}
		joined = append(joined, join(pieces[:count]))
		pieces = pieces[count:]
	}
	encoded, err := json.Marshal(joined)
	if err != nil || len(joined) == total {
		return raw
	}
	return encoded
}

// join returns the first of the pieces with the text of all.
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
	if err == nil { // Always nil: a string can be encoded.
		pieces[0][key] = joined
	}
	return pieces[0]
}

// isContinuedBy reports whether next is a further piece of d. The pieces of an entry
// are consecutive and have the same type and index; a signature ends the text.
func (d detail) isContinuedBy(next detail) bool {
	key := detailText[d.text("type")]
	return key != "" && next.text("type") == d.text("type") &&
		len(d["index"]) > 0 && string(next["index"]) == string(d["index"]) &&
		(d.text("signature") == "" || next.text(key) == "") &&
		(d.text("id") == "" || next.text("id") == "" || d.text("id") == next.text("id"))
}

// merge copies the fields that d does not have from a further piece, except its
// text.
func (d detail) merge(next detail) {
	key := detailText[d.text("type")]
	for name, value := range next {
		if known := d[name]; name != key && (len(known) == 0 || string(known) == "null") {
			d[name] = value
		}
	}
}

// text returns the value of a field that is a string, or "". Half of a surrogate
// pair at its ends is in WTF-8; see [unquote].
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

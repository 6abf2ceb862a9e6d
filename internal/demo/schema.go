package demo

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// schema is the part of a tool's parameters that the demo understands.
type schema struct {
	Properties map[string]property `json:"properties"`
	Required   []string            `json:"required"`
}

type property struct {
	// Type is a name, or a list of names.
	Type    json.RawMessage   `json:"type"`
	Enum    []json.RawMessage `json:"enum"`
	Default json.RawMessage   `json:"default"`
}

var numberIn = regexp.MustCompile(`-?\d+(?:\.\d+)?`)

// UnmarshalJSON accepts any JSON; a value that is no schema has no properties.
func (s *schema) UnmarshalJSON(data []byte) error {
	type plain schema
	var read plain
	if json.Unmarshal(data, &read) == nil {
		*s = schema(read)
	}
	return nil
}

// fill makes arguments from a text: the required properties, the first string of
// which is the text itself. A tool that requires no string gets the text in its
// first property of that type.
func (s *schema) fill(text string) string {
	arguments := make(map[string]any)
	var texts []string
	for _, name := range s.Required {
		one := s.Properties[name]
		if arguments[name] = one.value(text); one.isText() {
			texts = append(texts, name)
		}
	}
	if len(texts) == 0 && text != "" {
		for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
			if one := s.Properties[name]; one.isText() {
				texts = append(texts, name)
			}
		}
	}
	if len(texts) > 0 {
		arguments[texts[0]] = text
	}
	filled, err := json.Marshal(arguments)
	if err != nil {
		return "{}"
	}
	return string(filled)
}

func (p *property) has(kind string) bool { return strings.Contains(string(p.Type), `"`+kind+`"`) }

func (p *property) isText() bool {
	return len(p.Enum) == 0 && (p.has("string") || len(p.Type) == 0)
}

// value returns a value of the property's type, from the text where possible.
func (p *property) value(text string) any {
	for _, choice := range p.Enum {
		if strings.Contains(strings.ToLower(text), strings.ToLower(strings.Trim(string(choice), `"`))) {
			return choice
		}
	}
	switch {
	case len(p.Enum) > 0:
		return p.Enum[0]
	case len(p.Default) > 0:
		return p.Default
	case p.has("integer"), p.has("number"):
		found := numberIn.FindString(text)
		if p.has("integer") {
			found, _, _ = strings.Cut(found, ".")
		}
		if json.Valid([]byte(found)) {
			return json.Number(found)
		}
		return 1
	case p.has("boolean"):
		return true
	case p.has("array"):
		return []string{}
	case p.has("object"):
		return struct{}{}
	}
	return ""
}

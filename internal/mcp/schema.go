package mcp

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// maxParameters bounds the schema of a tool's parameters, in bytes of JSON.
const maxParameters = 64 << 10

// schemas converts the schemas of one server's tools to the form that model
// services take. It remembers the result for the schemas of the last list,
// because the list is read often.
type schemas struct{ known, used map[string]error }

var errNoObject = errors.New("its schema is no JSON object")

// parameters returns a tool's schema as an object with properties, even if it
// has none. It returns an error for a schema that is no JSON Schema: many model
// services refuse a whole request for one such tool.
func (s *schemas) parameters(input any) (json.RawMessage, error) {
	schema, ok := input.(map[string]any)
	if !ok {
		return nil, errNoObject
	}
	schema = maps.Clone(schema) // the library keeps its own
	maps.DeleteFunc(schema, func(keyword string, value any) bool {
		return keyword == "$schema" || // Some services refuse what names a draft.
			value == nil && keyword != "default" && keyword != "const"
	})
	schema["type"] = "object"
	if _, ok := schema["properties"]; !ok {
		schema["properties"] = map[string]any{}
	}
	encoded, err := json.Marshal(schema) // its keys are sorted
	if err != nil {
		return nil, err
	}
	if len(encoded) > maxParameters {
		return nil, fmt.Errorf("its schema has %d bytes, and at most %d are offered", len(encoded), maxParameters)
	}
	err, ok = s.known[string(encoded)]
	if !ok {
		err = checkSchema(schema)
	}
	s.used[string(encoded)] = err
	return encoded, err
}

// begin begins a new list: what the last one did not use is forgotten.
func (s *schemas) begin() { s.known, s.used = s.used, make(map[string]error) }

// checkSchema returns an error for what is no JSON Schema in any draft that is
// in use. The error is about the newest.
func checkSchema(schema map[string]any) error {
	var reason error
	for _, draft := range []*jsonschema.Draft{jsonschema.Draft2020, jsonschema.Draft7, jsonschema.Draft4} {
		err := compile(schema, draft)
		if err == nil {
			return nil
		}
		if reason == nil {
			reason = err
		}
	}
	return reason
}

const schemaURL = "tool:///parameters"

// compile resolves a schema's references too. It loads nothing from outside.
func compile(schema map[string]any, draft *jsonschema.Draft) error {
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(draft)
	compiler.UseLoader(jsonschema.SchemeURLLoader{})
	compiler.UseRegexpEngine(anyPattern)
	if err := compiler.AddResource(schemaURL, schema); err != nil {
		return err
	}
	if _, err := compiler.Compile(schemaURL); err != nil {
		return fmt.Errorf("its schema is no JSON Schema: %s", detail(err))
	}
	return nil
}

// detail returns the places of a schema's faults, without the introduction and
// without the steps that led there.
func detail(err error) string {
	var places []string
	for line := range strings.Lines(err.Error()) {
		if place, ok := strings.CutPrefix(strings.TrimSpace(line), "- at "); ok && !strings.HasSuffix(place, " failed") {
			places = append(places, place)
		}
	}
	if len(places) == 0 {
		return err.Error()
	}
	return strings.Join(places, "; ")
}

// pattern is a regular expression of a schema. It is not checked: its language
// is JavaScript's, not Go's.
type pattern string

func anyPattern(text string) (jsonschema.Regexp, error) { return pattern(text), nil }

// MatchString implements [jsonschema.Regexp].
func (pattern) MatchString(string) bool { return true }

// String implements [jsonschema.Regexp].
func (p pattern) String() string { return string(p) }

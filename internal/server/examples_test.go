package server_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/chatkit-rest/chatkit-rest/gen/document"
)

// example is a value that the document shows, and what it is an example of.
type example struct {
	where  string
	value  any
	schema *openapi3.Schema
}

// strictDocument is the document, but that an object has only the fields that
// its schema names: an example with a mistyped one is wrong.
func strictDocument(t *testing.T) *openapi3.T {
	t.Helper()
	spec, err := openapi3.NewLoader().LoadFromData(document.YAML)
	if err != nil {
		t.Fatal(err)
	}
	for _, schema := range spec.Components.Schemas {
		open := schema.Value.AdditionalProperties
		if schema.Value.Type.Is("object") && open.Has == nil && open.Schema == nil {
			no := false
			schema.Value.AdditionalProperties.Has = &no
		}
	}
	return spec
}

// examplesOf are the examples of every request and answer, and those in the
// description: what is no operation's has no other place. It fails the test for
// a request or an answer that has none.
func examplesOf(t *testing.T, spec *openapi3.T) []example {
	t.Helper()
	var all []example
	add := func(where string, content openapi3.Content) {
		for media, body := range content {
			if len(body.Examples) == 0 {
				t.Errorf("%s has no example of %s", where, media)
			}
			for name, shown := range body.Examples {
				all = append(all, example{where + ": " + name, shown.Value.Value, body.Schema.Value})
			}
		}
	}
	for _, item := range spec.Paths.Map() {
		for _, operation := range item.Operations() {
			if operation.RequestBody != nil {
				add(operation.OperationID, operation.RequestBody.Value.Content)
			}
			for status, response := range operation.Responses.Map() {
				add(operation.OperationID+" "+status, response.Value.Content)
			}
		}
	}
	return append(all, describedFailures(t, spec)...)
}

func describedFailures(t *testing.T, spec *openapi3.T) []example {
	t.Helper()
	var all []example
	for _, block := range regexp.MustCompile("(?s)```json\n(.+?)```").FindAllStringSubmatch(spec.Info.Description, -1) {
		var value any
		if err := json.Unmarshal([]byte(block[1]), &value); err != nil {
			t.Errorf("the description shows %s: %v", block[1], err)
		}
		all = append(all, example{"the description", value, spec.Components.Schemas["ErrorResponse"].Value})
	}
	return all
}

// words are the texts of a value's fields of this name, at any depth.
func words(value any, field string) []string {
	var found []string
	switch value := value.(type) {
	case map[string]any:
		if word, ok := value[field].(string); ok {
			found = append(found, word)
		}
		for _, inner := range value {
			found = append(found, words(inner, field)...)
		}
	case []any:
		for _, inner := range value {
			found = append(found, words(inner, field)...)
		}
	}
	return found
}

func TestExamplesAreWhatTheirSchemasSay(t *testing.T) {
	t.Parallel()
	spec := strictDocument(t)
	for _, shown := range examplesOf(t, spec) {
		if err := shown.schema.VisitJSON(shown.value, spec.GetSchemaValidationOptions()...); err != nil {
			t.Errorf("%s: %v", shown.where, err)
		}
	}
}

// Every code of a failure and every event of a run is shown somewhere.
func TestExamplesShowEveryCodeAndEvent(t *testing.T) {
	t.Parallel()
	spec := strictDocument(t)
	schemas := spec.Components.Schemas
	codes, types := make(map[string]bool), make(map[string]bool)
	for _, shown := range examplesOf(t, spec) {
		switch shown.schema {
		case schemas["ErrorResponse"].Value:
			for _, code := range words(shown.value, "code") {
				codes[code] = true
			}
		case schemas["ThreadStreamEvent"].Value:
			for _, word := range words(shown.value, "type") {
				types[word] = true
			}
		}
	}
	for _, code := range schemas["ErrorCode"].Value.Enum {
		if !codes[code.(string)] {
			t.Errorf("no example has the code %s", code)
		}
	}
	for _, union := range []string{"ThreadStreamEvent", "ThreadItemUpdate"} {
		for _, name := range slices.Sorted(maps.Keys(schemas[union].Value.Discriminator.Mapping)) {
			if !types[name] {
				t.Errorf("no example of a run's stream has the %s %s", union, name)
			}
		}
	}
}

// A request without a JSON body cannot be told that its body is no JSON.
func TestExamplesAreOfTheirOperation(t *testing.T) {
	t.Parallel()
	for _, item := range strictDocument(t).Paths.Map() {
		for _, operation := range item.Operations() {
			if operation.RequestBody != nil && operation.RequestBody.Value.Content["application/json"] != nil {
				continue
			}
			refused := operation.Responses.Status(400)
			if refused == nil {
				continue
			}
			for name, shown := range refused.Value.Content["application/json"].Examples {
				for _, message := range words(shown.Value.Value, "message") {
					if regexp.MustCompile(`(?i)\b(body|json)\b`).MatchString(message) {
						t.Errorf("%s has no JSON body, and its example %s mentions one: %s", operation.OperationID, name, message)
					}
				}
			}
		}
	}
}

package server

import (
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/chatkit-rest/chatkit-rest/gen/document"
)

// The message names a field that is mistyped, above all one of the document.
func TestPrintableFieldKeepsNames(t *testing.T) {
	t.Parallel()
	spec, err := openapi3.NewLoader().LoadFromData(document.YAML)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"x", "Type", "user_id", "userId", "threadID", "session_ID", "Message_Text", "avatarURL", "option2", "systemPrompt"}
	for _, schema := range spec.Components.Schemas {
		for name := range schema.Value.Properties {
			names = append(names, name)
		}
	}
	for _, name := range names {
		if got := printableField(name); got != name {
			t.Errorf("%s is shown as %q", name, got)
		}
	}
}

// A part of a pointer may be a name that the caller chose.
func TestPrintableFieldHidesSecrets(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"sk-or-v1-0123456789abcdef": "message.(a name of 25 characters that is not repeated here)",
		"4111111111111111":          "message.(a name of 16 characters that is not repeated here)",
		"päßwort":                   "message.(a name of 7 characters that is not repeated here)",
		"":                          "message.(a name of 0 characters that is not repeated here)",
		"12345":                     "message[12345]",
		"+5":                        "message.(a name of 2 characters that is not repeated here)",
		strings.Repeat("word_", 8):  "message.(a name of 40 characters that is not repeated here)",
	} {
		if got := fieldName([]string{"message", name}); got != want {
			t.Errorf("%q is shown as %q", name, got)
		}
	}
	value := map[string]any{"12345": 1}
	if got, want := unknownField(nil, value, &openapi3.Schema{}), "(a name of 5 characters that is not repeated here)"; got != want {
		t.Errorf("an unknown field is shown as %q", got)
	}
}

// Every refusal of a body says what the field must be, whichever wrong value it
// has and wherever it stands.
func TestRefusalsSayWhatAValueMustBe(t *testing.T) {
	t.Parallel()
	spec, err := openapi3.NewLoader().LoadFromData(document.YAML)
	if err != nil {
		t.Fatal(err)
	}
	wrong := []any{nil, true, 5.5, "x", []any{}, []any{nil}, map[string]any{}, map[string]any{"x": 1}}
	tried := 0
	for name, schema := range spec.Components.Schemas {
		for field := range schema.Value.Properties {
			for _, value := range wrong {
				err := schema.Value.VisitJSON(map[string]any{field: value}, openapi3.VisitAsRequest())
				if err == nil {
					continue
				}
				tried++
				if got := explain(err); strings.Contains(got, mismatch) {
					t.Errorf("%s.%s = %v: %s", name, field, value, got)
				}
			}
		}
	}
	if tried == 0 {
		t.Error("no value was refused")
	}
}

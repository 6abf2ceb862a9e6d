package server

import (
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/chatkit-rest/chatkit-rest/gen/document"
)

// Whoever mistypes a field is told which; the names of the document above all.
func TestNamesOfFieldsAreTold(t *testing.T) {
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
		if got := tellable(name); got != name {
			t.Errorf("%s is told as %q", name, got)
		}
	}
}

// What is in a pointer may be a name that the caller chose.
func TestNamesThatMayBeSecretsAreNotTold(t *testing.T) {
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
			t.Errorf("%q is told as %q", name, got)
		}
	}
	value := map[string]any{"12345": 1}
	if got, want := unknownField(nil, value, &openapi3.Schema{}), "(a name of 5 characters that is not repeated here)"; got != want {
		t.Errorf("an unknown field is told as %q", got)
	}
}

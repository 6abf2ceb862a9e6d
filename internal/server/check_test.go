package server

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/chatkit-rest/chatkit-rest/gen/document"
)

// The check does by itself what the library's ValidateRequest would, but for
// what the document has not got: parameters of a path that an operation
// overrides, defaults in bodies, and what came with OpenAPI 3.1.
func TestDocumentHasNothingThatTheCheckLeavesOut(t *testing.T) {
	doc, err := NewDocument(t.Context(), document.YAML, DocumentValues{ServerURL: "http://127.0.0.1:8080"})
	if err != nil {
		t.Fatal(err)
	}
	check, err := newChecker(Options{Document: doc, MaxBody: 1 << 20, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for name, route := range check.routes {
		if !strings.HasPrefix(route.Spec.OpenAPI, "3.0.") {
			t.Fatalf("the document is of OpenAPI %s", route.Spec.OpenAPI)
		}
		for _, param := range route.PathItem.Parameters {
			if route.Operation.Parameters.GetByInAndName(param.Value.In, param.Value.Name) != nil {
				t.Errorf("%s overrides the parameter %s", name, param.Value.Name)
			}
		}
		if body := route.Operation.RequestBody; body != nil && body.Value.Content[jsonType] != nil {
			if field := defaultIn(body.Value.Content[jsonType].Schema, map[*openapi3.Schema]bool{}); field != "" {
				t.Errorf("the body of %s has a default for %s", name, field)
			}
		}
	}
}

// defaultIn names a property of a schema that has a default.
func defaultIn(ref *openapi3.SchemaRef, seen map[*openapi3.Schema]bool) string {
	if ref == nil || seen[ref.Value] {
		return ""
	}
	seen[ref.Value] = true
	if ref.Value.Default != nil {
		return ref.Value.Title + " itself"
	}
	parts := append(openapi3.SchemaRefs{ref.Value.Items, ref.Value.AdditionalProperties.Schema}, ref.Value.OneOf...)
	parts = append(append(parts, ref.Value.AllOf...), ref.Value.AnyOf...)
	for _, part := range parts {
		if field := defaultIn(part, seen); field != "" {
			return field
		}
	}
	for name, property := range ref.Value.Properties {
		if field := defaultIn(property, seen); field != "" {
			return name + ": " + field
		}
	}
	return ""
}

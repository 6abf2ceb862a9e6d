package server

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
)

// explain says which part of a request is wrong and what it must be. The library's
// own texts quote the value, which may be long or secret.
func explain(err error) string {
	field := "The request"
	var request *openapi3filter.RequestError
	if errors.As(err, &request) {
		switch {
		case request.Parameter != nil:
			field = request.Parameter.Name
		case request.RequestBody != nil:
			field = "The body"
		}
	}
	if schema, ok := errors.AsType[*openapi3.SchemaError](err); ok {
		return explainSchema(field, schema)
	}
	if errors.Is(err, openapi3filter.ErrInvalidRequired) {
		return field + " is required."
	}
	if errors.Is(err, openapi3filter.ErrInvalidEmptyValue) {
		return field + " must not be empty."
	}
	if request != nil && request.Parameter != nil {
		return field + " must be " + typeOf(request.Parameter.Schema) + "."
	}
	return field + mismatch
}

func explainSchema(field string, err *openapi3.SchemaError) string {
	err = selectedVariant(err)
	pointer := err.JSONPointer()
	if path := fieldName(pointer); path != "" {
		field = path
	}
	schema := err.Schema
	if schema == nil {
		return field + mismatch
	}
	switch err.SchemaField {
	case "discriminator":
		return explainVariant(pointer, schema)
	case "required":
		return field + " is required."
	case "nullable":
		return field + " must not be null."
	case "type":
		return field + " must be " + typeOf(&openapi3.SchemaRef{Value: schema}) + "."
	case "format":
		return field + " must be a valid " + schema.Format + "."
	case "enum":
		return field + " must be one of: " + enumOf(schema) + "."
	case "properties":
		return unknownField(pointer, err.Value, schema) + " is not a known field here."
	case "minimum", "maximum", "minLength", "maxLength", "maxItems", "pattern":
		return field + explainBound(err.SchemaField, schema)
	default:
		return field + mismatch
	}
}

// selectedVariant returns the error of the variant of a union that the
// discriminator selects; err holds no other. Without a union it returns err.
func selectedVariant(err *openapi3.SchemaError) *openapi3.SchemaError {
	for err.Origin != nil {
		variant, ok := errors.AsType[*openapi3.SchemaError](err.Origin)
		if !ok {
			break
		}
		err = variant
	}
	return err
}

// explainVariant names the discriminator of a union and its values.
func explainVariant(pointer []string, schema *openapi3.Schema) string {
	if schema.Discriminator == nil {
		return fieldName(pointer) + mismatch
	}
	field := fieldName(append(slices.Clone(pointer), schema.Discriminator.PropertyName))
	values := slices.Sorted(maps.Keys(schema.Discriminator.Mapping))
	return field + " must be one of: " + strings.Join(values, ", ") + "."
}

// explainBound states the bound that a value exceeds.
func explainBound(bound string, schema *openapi3.Schema) string {
	switch bound {
	case "minimum":
		return " must be " + strconv.FormatFloat(*schema.Min, 'f', -1, 64) + " or more."
	case "maximum":
		return " must be " + strconv.FormatFloat(*schema.Max, 'f', -1, 64) + " or less."
	case "maxLength":
		return " must have " + strconv.FormatUint(*schema.MaxLength, 10) + " characters or fewer."
	case "maxItems":
		return " must have " + strconv.FormatUint(*schema.MaxItems, 10) + " entries or fewer."
	case "pattern":
		return " must match " + schema.Pattern + "."
	default:
		return " must not be empty."
	}
}

// unknownField names the first field of an object that its schema lacks.
func unknownField(pointer []string, value any, schema *openapi3.Schema) string {
	fields, _ := value.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if _, known := schema.Properties[name]; known {
			continue
		}
		if len(pointer) == 0 {
			return printableField(name)
		}
		return fieldName(pointer) + "." + printableField(name)
	}
	return "A field"
}

// fieldName writes a JSON pointer as in a program: message.content[0].text. Some
// parts may be chosen by the caller.
func fieldName(pointer []string) string {
	var name strings.Builder
	for _, part := range pointer {
		if isIndex(part) {
			name.WriteString("[" + part + "]")
			continue
		}
		if name.Len() > 0 {
			name.WriteByte('.')
		}
		name.WriteString(printableField(part))
	}
	return name.String()
}

// isIndex reports whether a part of a pointer is the index of a list. A longer
// number may be a private one.
func isIndex(part string) bool {
	const most = 5
	return len(part) <= most && strings.Trim(part, "0123456789") == "" && part != ""
}

// mismatch is for the keywords of a schema that have no text of their own.
const mismatch = " does not match its schema in /openapi.yaml."

var (
	// plainName matches names of programs, in snake_case or camelCase: words with
	// few digits after them. Keys, tokens and numbers do not match.
	plainName = regexp.MustCompile(`^[A-Za-z][a-z]{0,15}(?:_?[A-Z][a-z]{1,15}|_[a-z]{1,15})*(?:_?I[Dd]|_?URL)?[0-9]{0,2}$`)
	hexRun    = regexp.MustCompile(`[0-9A-Fa-f]{8}`)
)

// printableField returns the name of a field where it looks like one, so that a
// mistyped name can be found. Any other may be a secret in the wrong place: of it
// only the length is returned.
func printableField(name string) string {
	const most = 36
	if len(name) <= most && plainName.MatchString(name) && !hexRun.MatchString(name) {
		return name
	}
	return "(a name of " + strconv.Itoa(utf8.RuneCountInString(name)) + " characters that is not repeated here)"
}

func typeOf(schema *openapi3.SchemaRef) string {
	if schema == nil || schema.Value == nil || schema.Value.Type == nil || len(*schema.Value.Type) == 0 {
		return "of the documented type"
	}
	switch name := (*schema.Value.Type)[0]; name {
	case "object", "array", "integer":
		return "an " + name
	default:
		return "a " + name
	}
}

func enumOf(schema *openapi3.Schema) string {
	values := make([]string, 0, len(schema.Enum))
	for _, value := range schema.Enum {
		if text, ok := value.(string); ok {
			values = append(values, text)
		}
	}
	return strings.Join(values, ", ")
}

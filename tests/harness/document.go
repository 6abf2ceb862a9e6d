package harness

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/document"
)

// contract is openapi.yaml made strict: undocumented fields are errors.
type contract struct {
	spec    *openapi3.T
	options []openapi3.SchemaValidationOption
	event   *openapi3.Schema
	// protocolEvent is an event of the ChatKit protocol's streams.
	protocolEvent *openapi3.Schema
	failure       *openapi3.Schema
	segments      map[string][]string // of each path
}

// theContract is parsed once in a test process.
var theContract = sync.OnceValues(func() (*contract, error) { return newContract(document.YAML) })

// newContract parses openapi.yaml.
func newContract(source []byte) (*contract, error) {
	spec, err := openapi3.NewLoader().LoadFromData(source)
	if err != nil {
		return nil, fmt.Errorf("parse openapi.yaml: %w", err)
	}
	spec.SetStringFormatValidator("uuid", openapi3.NewCallbackValidator(checkUUID))
	spec.SetStringFormatValidator("date-time", openapi3.NewCallbackValidator(checkTime))
	for _, schema := range spec.Components.Schemas {
		makeStrict(schema.Value)
	}
	c := &contract{
		spec: spec, segments: make(map[string][]string),
		options: append(spec.GetSchemaValidationOptions(), openapi3.VisitAsResponse()),
	}
	for path := range spec.Paths.Map() {
		c.segments[path] = strings.Split(path, "/")
	}
	for name, schema := range map[string]**openapi3.Schema{
		"ThreadStreamEvent": &c.event, "ChatKitStreamEvent": &c.protocolEvent, "ErrorResponse": &c.failure,
	} {
		ref, ok := spec.Components.Schemas[name]
		if !ok {
			return nil, fmt.Errorf("openapi.yaml has no schema %s", name)
		}
		*schema = ref.Value
	}
	return c, nil
}

// makeStrict forbids fields that a schema does not name, unless the schema
// allows them, and counts the length of strings in code points as JSON Schema
// does. The library counts UTF-16 units.
func makeStrict(schema *openapi3.Schema) {
	open := schema.AdditionalProperties.Has != nil && *schema.AdditionalProperties.Has
	if schema.Type.Is("object") && !open && schema.AdditionalProperties.Schema == nil {
		no := false
		schema.AdditionalProperties = openapi3.BoolSchema{Has: &no}
	}
	if schema.MaxLength != nil {
		schema.Pattern = `(?s)^.{0,` + strconv.FormatUint(*schema.MaxLength, 10) + `}$`
		schema.MaxLength = nil
	}
	for _, property := range schema.Properties {
		if property.Ref == "" {
			makeStrict(property.Value)
		}
	}
	if schema.Items != nil && schema.Items.Ref == "" {
		makeStrict(schema.Items.Value)
	}
}

func checkUUID(value string) error {
	parsed, err := uuid.Parse(value)
	if err != nil || parsed.String() != value {
		return errors.New("is not a UUID in its usual form")
	}
	return nil
}

func checkTime(value string) error {
	if _, err := time.Parse(time.RFC3339Nano, value); err != nil || !strings.HasSuffix(value, "Z") {
		return errors.New("is not a time of RFC 3339 that ends in Z")
	}
	return nil
}

// pathOf returns the documented path that a URL's path matches, or "". An
// encoded slash does not separate segments.
func (c *contract) pathOf(address *url.URL) string {
	segments := strings.Split(address.EscapedPath(), "/")
	for n, segment := range segments {
		if decoded, err := url.PathUnescape(segment); err == nil {
			segments[n] = decoded
		}
	}
	for documented, pattern := range c.segments {
		if slices.EqualFunc(segments, pattern, func(got, want string) bool {
			return got == want || (strings.HasPrefix(want, "{") && got != "")
		}) {
			return documented
		}
	}
	return ""
}

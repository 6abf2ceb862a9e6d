package contract

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

// specification is openapi.yaml in a strict form, in which undocumented fields are
// errors.
type specification struct {
	document *openapi3.T
	options  []openapi3.SchemaValidationOption
	event    *openapi3.Schema
	// protocolEvent is the schema of the events of the ChatKit protocol.
	protocolEvent *openapi3.Schema
	failure       *openapi3.Schema
	// segments has the segments of each path.
	segments map[string][]string
}

// loadSpecification parses openapi.yaml once for the test process.
var loadSpecification = sync.OnceValues(func() (*specification, error) { return newSpecification(document.YAML) })

func newSpecification(source []byte) (*specification, error) {
	document, err := openapi3.NewLoader().LoadFromData(source)
	if err != nil {
		return nil, fmt.Errorf("parse openapi.yaml: %w", err)
	}
	document.SetStringFormatValidator("uuid", openapi3.NewCallbackValidator(checkUUID))
	document.SetStringFormatValidator("date-time", openapi3.NewCallbackValidator(checkTime))
	for _, schema := range document.Components.Schemas {
		makeStrict(schema.Value)
	}
	c := &specification{
		document: document, segments: make(map[string][]string),
		options: append(document.GetSchemaValidationOptions(), openapi3.VisitAsResponse()),
	}
	for path := range document.Paths.Map() {
		c.segments[path] = strings.Split(path, "/")
	}
	for name, schema := range map[string]**openapi3.Schema{
		"ThreadStreamEvent": &c.event, "ChatKitStreamEvent": &c.protocolEvent, "ErrorResponse": &c.failure,
	} {
		ref, ok := document.Components.Schemas[name]
		if !ok {
			return nil, fmt.Errorf("openapi.yaml has no schema %s", name)
		}
		*schema = ref.Value
	}
	return c, nil
}

// makeStrict forbids undocumented fields unless the schema allows them, and counts
// the length of strings in code points as JSON Schema does. The library counts
// UTF-16 units.
func makeStrict(schema *openapi3.Schema) {
	allowsOthers := schema.AdditionalProperties.Has != nil && *schema.AdditionalProperties.Has
	if schema.Type.Is("object") && !allowsOthers && schema.AdditionalProperties.Schema == nil {
		forbidden := false
		schema.AdditionalProperties = openapi3.BoolSchema{Has: &forbidden}
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
		return errors.New("is not a UUID in its canonical form")
	}
	return nil
}

func checkTime(value string) error {
	if _, err := time.Parse(time.RFC3339Nano, value); err != nil || !strings.HasSuffix(value, "Z") {
		return errors.New("is not an RFC 3339 time in UTC")
	}
	return nil
}

// pathOf returns the documented path that matches a URL, or "". An encoded slash
// does not separate segments.
func (c *specification) pathOf(address *url.URL) string {
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

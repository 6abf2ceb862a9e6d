package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/telemetry"
)

// checker holds requests against openapi.yaml before a handler sees them.
type checker struct {
	routes  map[string]*routers.Route // by method and gin's pattern of the path
	options *openapi3filter.Options
	// withoutBody are the same for a body that is not looked at.
	withoutBody *openapi3filter.Options
	maxBody     int64
	tracing     *telemetry.Tracing
}

func newChecker(o Options) (*checker, error) {
	spec, err := openapi3.NewLoader().LoadFromData(o.Document.yaml)
	if err != nil {
		return nil, fmt.Errorf("parse openapi.yaml: %w", err)
	}
	spec.SetStringFormatValidator("uuid", openapi3.NewCallbackValidator(func(value string) error {
		if len(value) != len(uuid.Nil.String()) { // Parse takes other forms too
			return errors.New("must be a UUID")
		}
		return uuid.Validate(value)
	}))
	leaveToCore(spec.Components.Schemas)

	c := &checker{
		routes: make(map[string]*routers.Route),
		options: &openapi3filter.Options{
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, KeepValidatedValue: true,
			SchemaValidationOptions: spec.GetSchemaValidationOptions(), // the formats above
		},
		maxBody: o.MaxBody, tracing: o.Tracing,
	}
	withoutBody := *c.options
	withoutBody.ExcludeRequestBody = true
	c.withoutBody = &withoutBody
	for path, item := range spec.Paths.Map() {
		for method, operation := range item.Operations() {
			c.routes[method+" "+ginPath(path)] = &routers.Route{
				Spec: spec, Path: path, PathItem: item, Method: method, Operation: operation,
			}
		}
	}
	return c, nil
}

// leaveToCore takes from the schemas what the core holds with words and codes
// of its own.
func leaveToCore(schemas openapi3.Schemas) {
	field := func(schema, name string) *openapi3.Schema { return schemas[schema].Value.Properties[name].Value }
	// The length is of all parts together and in code points, which a schema
	// cannot say and the library counts otherwise.
	field("CreateRunContent", "text").MaxLength = nil
	field("CreateRunRequest", "model").Enum = nil
	field("InferenceOptionsInput", "model").Enum = nil
	field("AttachmentCreateParams", "size").Max = nil
	// Its parameters, which browsers add, are left out before it is compared.
	field("AttachmentCreateParams", "mime_type").Enum = nil
}

// isSigned says that the URL claims to be a signed one.
func isSigned(c *gin.Context) bool { return c.Query("signature") != "" }

// takesSignedURLs says that an operation needs no principal: the document
// lists "none" among its ways to authenticate.
func (k *checker) takesSignedURLs(c *gin.Context) bool {
	route, ok := k.routes[c.Request.Method+" "+c.FullPath()]
	if !ok || route.Operation.Security == nil {
		return false
	}
	return slices.ContainsFunc(*route.Operation.Security, func(way openapi3.SecurityRequirement) bool { return len(way) == 0 })
}

// ginPath is a path of the document as gin's pattern.
func ginPath(path string) string { return strings.NewReplacer("{", ":", "}", "").Replace(path) }

func (k *checker) middleware(c *gin.Context) {
	route, ok := k.routes[c.Request.Method+" "+c.FullPath()]
	if !ok {
		return
	}
	span := telemetry.Span{}
	if !isProbe(c) {
		span = k.tracing.StartValidation(c.Request.Context())
	}
	k.check(c, route)
	span.EndValidation(!c.IsAborted())
}

// check answers for a request that the document refuses.
func (k *checker) check(c *gin.Context, route *routers.Route) {
	options := k.options
	switch {
	case route.Operation.RequestBody == nil:
	case route.Operation.RequestBody.Value.Content["application/json"] == nil:
		// A file is read by its operation, which knows how large it may be.
		options = k.withoutBody
		allowTime(c)
	case !k.readBody(c):
		return
	}
	params := make(map[string]string, len(c.Params))
	for _, param := range c.Params {
		params[param.Key] = param.Value
	}
	err := openapi3filter.ValidateRequest(c.Request.Context(), &openapi3filter.RequestValidationInput{
		Request: c.Request, PathParams: params, Route: route, Options: options,
	})
	if err != nil {
		fail(c, http.StatusBadRequest, api.ErrorCodeInvalidRequest, explain(err))
	}
}

// fileTimeout is how long the sending of a file may take.
const fileTimeout = 5 * time.Minute

// allowTime gives a request with a file longer than others have. A writer
// without deadlines (a test's recorder) needs none.
func allowTime(c *gin.Context) {
	control := http.NewResponseController(c.Writer)
	_ = control.SetReadDeadline(time.Now().Add(fileTimeout))
	_ = control.SetWriteDeadline(time.Now().Add(fileTimeout + writeTimeout))
}

// readBody reads the body, within bounds, and sees that it is one JSON value:
// what comes after it would otherwise go unnoticed. It answers and returns
// false if the body cannot be.
func (k *checker) readBody(c *gin.Context) bool {
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, k.maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		fail(c, http.StatusRequestEntityTooLarge, api.ErrorCodeRequestTooLarge,
			fmt.Sprintf("The body is larger than %d bytes, the most taken.", k.maxBody))
		return false
	case err != nil:
		fail(c, http.StatusBadRequest, api.ErrorCodeInvalidRequest, "The body could not be read to its end.")
		return false
	}
	c.Request.Body = io.NopCloser(bytes.NewReader(body))
	if len(body) == 0 {
		return true
	}
	mediaType, _, err := mime.ParseMediaType(c.Request.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" {
		fail(c, http.StatusUnsupportedMediaType, api.ErrorCodeUnsupportedMediaType,
			"The body must be JSON, sent with the header Content-Type: application/json.")
		return false
	}
	if !json.Valid(body) || !utf8.Valid(body) { // RFC 8259, section 8.1
		fail(c, http.StatusBadRequest, api.ErrorCodeInvalidRequest, "The body is not one valid JSON value.")
		return false
	}
	return true
}

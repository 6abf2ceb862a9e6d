package server

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/telemetry"
)

// checker validates requests against openapi.yaml before a handler gets them.
type checker struct {
	routes  map[string]*routers.Route // by method and gin's pattern of the path
	options *openapi3filter.Options
	// schema are the options of checking a body against its schema.
	schema  []openapi3.SchemaValidationOption
	maxBody int64
	tracing *telemetry.Tracing
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
	acceptNull(spec.Components.Schemas)

	formats := spec.GetSchemaValidationOptions() // the one above
	c := &checker{
		routes:  make(map[string]*routers.Route),
		options: &openapi3filter.Options{SchemaValidationOptions: formats},
		schema:  append([]openapi3.SchemaValidationOption{openapi3.VisitAsRequest()}, formats...),
		maxBody: o.MaxBody, tracing: o.Tracing,
	}
	for path, item := range spec.Paths.Map() {
		for method, operation := range item.Operations() {
			c.routes[method+" "+ginPath(path)] = &routers.Route{
				Spec: spec, Path: path, PathItem: item, Method: method, Operation: operation,
			}
		}
	}
	return c, nil
}

// leaveToCore removes the bounds that the core checks, which answers with a code
// of its own.
func leaveToCore(schemas openapi3.Schemas) {
	field := func(schema, name string) *openapi3.Schema { return schemas[schema].Value.Properties[name].Value }
	// The limit counts the code points of all parts together. A schema cannot
	// express that, and the library counts other units.
	field("CreateRunContent", "text").MaxLength = nil
	field("CreateRunRequest", "model").Enum = nil
	field("InferenceOptionsInput", "model").Enum = nil
	field("AttachmentCreateParams", "size").Max = nil
	field("AttachmentCreateParams", "name").MinLength = 0
	field("ThreadUpdateParams", "title").MinLength = 0
	// Browsers add parameters, which the core removes before it compares the type.
	field("AttachmentCreateParams", "mime_type").Enum = nil
}

// acceptNull lets a field without a type be null. OpenAPI 3.0.3 allows any value
// there, and allows the keyword nullable only beside a type; the library refuses
// null wherever the keyword is missing.
func acceptNull(schemas openapi3.Schemas) {
	for _, schema := range schemas {
		for _, field := range schema.Value.Properties {
			if field.Value.Type == nil && len(field.Value.AllOf)+len(field.Value.OneOf)+len(field.Value.AnyOf) == 0 {
				field.Value.Nullable = true
			}
		}
	}
}

// isSigned reports whether the URL has a signature, valid or not.
func isSigned(c *gin.Context) bool { return c.Query("signature") != "" }

// takesSignedURLs reports whether an operation works without a principal: the
// document lists the empty security requirement for it.
func (k *checker) takesSignedURLs(c *gin.Context) bool {
	route, ok := k.routes[c.Request.Method+" "+c.FullPath()]
	if !ok || route.Operation.Security == nil {
		return false
	}
	return slices.ContainsFunc(*route.Operation.Security, func(r openapi3.SecurityRequirement) bool { return len(r) == 0 })
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

// check answers a request that does not match the document. It does not call the
// library's ValidateRequest, which decodes the body twice and checks the security
// again; that was a third of the time of a check.
func (k *checker) check(c *gin.Context, route *routers.Route) {
	var body *openapi3.RequestBody
	var data []byte
	switch {
	case route.Operation.RequestBody == nil:
	case route.Operation.RequestBody.Value.Content[jsonType] == nil:
		// The operation reads the file: it knows how large the file may be.
		prepareUpload(c)
	default:
		body = route.Operation.RequestBody.Value
		var ok bool
		if data, ok = k.readBody(c); !ok {
			return
		}
	}
	// net/http drops the parameters that it cannot decode.
	if _, err := url.ParseQuery(c.Request.URL.RawQuery); err != nil {
		fail(c, http.StatusBadRequest, api.ErrorCodeInvalidRequest,
			"The query of the URL is malformed; write %25 for a percent sign and %3B for a semicolon.")
		return
	}
	err := k.checkParameters(c, route)
	if err == nil && body != nil {
		err = k.checkBody(c, body, data)
	}
	if err != nil {
		fail(c, http.StatusBadRequest, api.ErrorCodeInvalidRequest, explain(err))
	}
}

// checkEmpty refuses an empty query parameter whose schema allows no empty text;
// the library treats it as absent.
func checkEmpty(r *http.Request, param *openapi3.Parameter) error {
	if param.In != openapi3.ParameterInQuery || !slices.Contains(r.URL.Query()[param.Name], "") {
		return nil
	}
	if schema := param.Schema.Value; schema.Type.Is("string") && schema.Pattern == "" {
		return nil
	}
	return &openapi3filter.RequestError{Parameter: param, Reason: "must not be empty", Err: openapi3filter.ErrInvalidEmptyValue}
}

func (k *checker) checkParameters(c *gin.Context, route *routers.Route) error {
	params := make(map[string]string, len(c.Params))
	for _, param := range c.Params {
		params[param.Key] = param.Value
	}
	input := &openapi3filter.RequestValidationInput{Request: c.Request, PathParams: params, Route: route, Options: k.options}
	for _, list := range []openapi3.Parameters{route.PathItem.Parameters, route.Operation.Parameters} {
		for _, param := range list {
			if err := checkEmpty(c.Request, param.Value); err != nil {
				return err
			}
			if err := openapi3filter.ValidateParameter(c.Request.Context(), input, param.Value); err != nil {
				return err
			}
		}
	}
	return nil
}

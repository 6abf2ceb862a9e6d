package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

const (
	apiPrefix  = "/api/"
	eventMedia = "text/event-stream"
	jsonMedia  = "application/json"
)

// statusOf returns the documented status of an error code.
func statusOf(code string) (int, bool) {
	status, ok := map[string]int{
		"INVALID_REQUEST": 400, "EMPTY_MESSAGE": 400, "MESSAGE_TOO_LONG": 400,
		"UNAUTHORIZED": 401, "FORBIDDEN": 403,
		"NOT_FOUND": 404, "SESSION_NOT_FOUND": 404, "THREAD_NOT_FOUND": 404, "ITEM_NOT_FOUND": 404,
		"RUN_NOT_FOUND": 404, "RUN_LOG_EXPIRED": 410, "NOT_SUPPORTED": 404,
		"METHOD_NOT_ALLOWED": 405, "RUN_IN_PROGRESS": 409, "REQUEST_TOO_LARGE": 413,
		"UNSUPPORTED_MEDIA_TYPE": 415, "RATE_LIMIT_EXCEEDED": 429, "SESSION_LIMIT": 429,
		"INTERNAL_ERROR": 500, "UPSTREAM_ERROR": 502, "SERVICE_UNAVAILABLE": 503,
		"ATTACHMENT_NOT_FOUND": 404, "ATTACHMENT_CONFLICT": 409, "ATTACHMENT_LIMIT": 429,
	}[code]
	return status, ok
}

// Options are the options of Transport.
type Options struct {
	// Next sends the requests.
	Next http.RoundTripper
	// RateLimited reports whether the server has a rate limit.
	RateLimited bool
	// Secrets are texts that an error response must not contain.
	Secrets []string
}

// Transport returns a round tripper that fails the test for every response that
// violates openapi.yaml or the documented rules for errors and headers.
func Transport(tb testing.TB, o Options) http.RoundTripper {
	tb.Helper()
	spec, err := loadSpecification()
	if err != nil {
		tb.Fatal(err)
	}
	return &validator{Options: o, t: tb, spec: spec}
}

type validator struct {
	Options

	t    testing.TB
	spec *specification
}

// RoundTrip implements http.RoundTripper.
func (v *validator) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := v.Next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	if isStream(response) {
		v.report(request, response, v.checkHead(request, response))
		response.Body = newStreamValidator(v, request, response)
		return response, nil
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close() // The body was read to its end.
	if err != nil {
		return nil, fmt.Errorf("read the response: %w", err)
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	v.report(request, response, v.check(request, response, body))
	return response, nil
}

func isStream(response *http.Response) bool {
	media, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	return media == eventMedia && response.StatusCode == http.StatusOK
}

func (v *validator) report(request *http.Request, response *http.Response, err error) {
	v.t.Helper()
	if err != nil {
		v.t.Errorf("%s %s: the response with status %d violates the contract: %v",
			request.Method, request.URL.Path, response.StatusCode, err)
	}
}

// check checks a complete response.
func (v *validator) check(request *http.Request, response *http.Response, body []byte) error {
	return errors.Join(
		v.checkDocumented(request, response, body),
		v.checkLimitHeaders(request, response),
		v.checkSecurityHeaders(request, response),
		v.checkFailure(request, response, body),
	)
}

// checkHead checks the status and the headers of a stream.
func (v *validator) checkHead(request *http.Request, response *http.Response) error {
	errs := []error{
		v.checkDocumented(request, response, nil), v.checkLimitHeaders(request, response),
		v.checkSecurityHeaders(request, response),
	}
	for name, want := range map[string]string{"Cache-Control": "no-cache", "X-Accel-Buffering": "no"} {
		if got := response.Header.Get(name); got != want {
			errs = append(errs, fmt.Errorf("header %s is %q, not %q", name, got, want))
		}
	}
	return errors.Join(errs...)
}

// checkDocumented checks a response against openapi.yaml. A nil body is not
// checked.
func (v *validator) checkDocumented(request *http.Request, response *http.Response, body []byte) error {
	path := v.spec.pathOf(request.URL)
	item := v.spec.document.Paths.Value(path)
	if item == nil || item.GetOperation(request.Method) == nil {
		return checkUndocumented(request, response)
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: request,
			Route: &routers.Route{
				Spec: v.spec.document, Path: path, PathItem: item,
				Method: request.Method, Operation: item.GetOperation(request.Method),
			},
		},
		Status: response.StatusCode, Header: response.Header,
		Options: &openapi3filter.Options{
			IncludeResponseStatus: true, MultiError: true, ExcludeResponseBody: body == nil,
			SchemaValidationOptions: v.spec.options,
		},
	}
	ok := item.GetOperation(request.Method).Responses.Status(http.StatusOK)
	if response.StatusCode == http.StatusOK && ok != nil && ok.Value.Content["*/*"] != nil {
		input.Options.ExcludeResponseBody = true // The content of a file has no schema.
		body = nil
	}
	if body != nil {
		input.SetBodyBytes(body)
	}
	if err := openapi3filter.ValidateResponse(request.Context(), input); err != nil {
		return fmt.Errorf("%w\n%s", err, body)
	}
	return nil
}

// checkUndocumented checks the response to a request that is not an operation.
// Below the API's prefix it must be an error or the response to a preflight.
func checkUndocumented(request *http.Request, response *http.Response) error {
	if response.StatusCode >= http.StatusBadRequest || request.Method == http.MethodOptions ||
		!strings.HasPrefix(request.URL.Path, apiPrefix) {
		return nil
	}
	return errors.New("no operation of openapi.yaml has this path and method")
}

// checkLimitHeaders checks that the responses of rate-limited operations have the
// rate limit headers, and that no other response has them.
func (v *validator) checkLimitHeaders(request *http.Request, response *http.Response) error {
	item := v.spec.document.Paths.Value(v.spec.pathOf(request.URL))
	isOperation := isAPI(request) && item != nil && item.GetOperation(request.Method) != nil
	var errs []error
	for _, name := range []string{"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"} {
		values := response.Header.Values(name)
		if !v.RateLimited || !isAPI(request) {
			if len(values) > 0 {
				errs = append(errs, fmt.Errorf("header %s without a rate limit", name))
			}
			continue
		}
		if !isOperation {
			continue
		}
		if len(values) != 1 {
			errs = append(errs, fmt.Errorf("the response has %[2]d headers %[1]s", name, len(values)))
		} else if n, err := strconv.Atoi(values[0]); err != nil || n < 0 {
			errs = append(errs, fmt.Errorf("header %s is %q", name, values[0]))
		}
	}
	return errors.Join(errs...)
}

// checkFailure checks the body, the code and the headers of an error response.
func (v *validator) checkFailure(request *http.Request, response *http.Response, body []byte) error {
	if response.StatusCode < http.StatusBadRequest || isReadiness(request, response) {
		return nil
	}
	errs := []error{v.checkSecrets(request, response, body)}
	if request.Method == http.MethodHead {
		return errors.Join(errs...)
	}
	if media := response.Header.Get("Content-Type"); !strings.HasPrefix(media, jsonMedia) {
		return errors.Join(append(errs, fmt.Errorf("an error response of type %q: %s", media, body))...)
	}
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return errors.Join(append(errs, fmt.Errorf("an error response that is not JSON: %s", body))...)
	}
	if err := v.spec.failure.VisitJSON(value, v.spec.options...); err != nil {
		return errors.Join(append(errs, fmt.Errorf("an error response that is not an ErrorResponse: %w: %s", err, body))...)
	}
	var decoded ErrorBody
	if err := json.Unmarshal(body, &decoded); err != nil {
		return errors.Join(append(errs, err)...)
	}
	return errors.Join(append(errs, checkCode(response, decoded.Error.Code, decoded.Error.Message))...)
}

// ErrorBody is the body of an error response.
type ErrorBody struct {
	Error struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// isReadiness reports whether the response is the 503 of /readyz, whose body is
// not an ErrorResponse.
func isReadiness(request *http.Request, response *http.Response) bool {
	return request.URL.Path == "/readyz" && response.StatusCode == http.StatusServiceUnavailable
}

// checkCode checks that the code agrees with the status and the headers.
func checkCode(response *http.Response, code, message string) error {
	var errs []error
	if status, ok := statusOf(code); !ok || status != response.StatusCode {
		errs = append(errs, fmt.Errorf("code %s does not belong to the status", code))
	}
	if strings.TrimSpace(message) == "" {
		errs = append(errs, errors.New("the error has no message"))
	}
	needs := func(name, want string) {
		got := response.Header.Get(name)
		if got == "" || (want != "" && got != want) {
			errs = append(errs, fmt.Errorf("code %s with header %s %q", code, name, got))
		}
	}
	switch code {
	case "UNAUTHORIZED":
		needs("WWW-Authenticate", "Bearer")
	case "METHOD_NOT_ALLOWED":
		needs("Allow", "")
	case "RATE_LIMIT_EXCEEDED":
		needs("Retry-After", "")
	}
	return errors.Join(errs...)
}

// checkSecrets checks that an error response has no secret and no internal detail.
func (v *validator) checkSecrets(request *http.Request, response *http.Response, body []byte) error {
	secrets := append([]string{}, v.Secrets...)
	if _, token, _ := strings.Cut(request.Header.Get("Authorization"), " "); len(token) > 8 {
		secrets = append(secrets, token)
	}
	if cookie, err := request.Cookie("auth-token"); err == nil && len(cookie.Value) > 8 {
		secrets = append(secrets, cookie.Value)
	}
	var head bytes.Buffer
	if err := response.Header.Write(&head); err != nil {
		return fmt.Errorf("write the headers: %w", err)
	}
	text := head.String() + string(body)
	for _, secret := range secrets {
		if strings.Contains(text, secret) {
			return errors.New("an error response has a secret")
		}
	}
	lower := strings.ToLower(string(body))
	for _, sign := range []string{"select ", "insert into", "sqlstate", "sqlite", "pgx", "gorm", ".go:", "goroutine", "/tmp/", "127.0.0.1"} {
		if strings.Contains(lower, sign) {
			return fmt.Errorf("an error response has an internal detail (%q): %s", sign, body)
		}
	}
	return nil
}

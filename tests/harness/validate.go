package harness

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

// statusOf returns the documented status of a failure code.
func statusOf(code string) (int, bool) {
	status, ok := map[string]int{
		"INVALID_REQUEST": 400, "EMPTY_MESSAGE": 400, "MESSAGE_TOO_LONG": 400,
		"UNAUTHORIZED": 401, "FORBIDDEN": 403,
		"NOT_FOUND": 404, "SESSION_NOT_FOUND": 404, "THREAD_NOT_FOUND": 404, "ITEM_NOT_FOUND": 404, "NOT_SUPPORTED": 404,
		"METHOD_NOT_ALLOWED": 405, "RUN_IN_PROGRESS": 409, "REQUEST_TOO_LARGE": 413,
		"UNSUPPORTED_MEDIA_TYPE": 415, "RATE_LIMIT_EXCEEDED": 429, "SESSION_LIMIT": 429,
		"INTERNAL_ERROR": 500, "UPSTREAM_ERROR": 502, "SERVICE_UNAVAILABLE": 503,
		"ATTACHMENT_NOT_FOUND": 404, "ATTACHMENT_CONFLICT": 409, "ATTACHMENT_LIMIT": 429,
	}[code]
	return status, ok
}

// validator is a round tripper that fails the test for every answer that
// differs from openapi.yaml or from the documented failures.
type validator struct {
	next     http.RoundTripper
	t        testing.TB
	contract *contract
	// limited reports whether the server has a rate limit.
	limited bool
	// secrets must not be in a failure.
	secrets []string
}

// RoundTrip implements http.RoundTripper.
func (v *validator) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := v.next.RoundTrip(request)
	if err != nil {
		return nil, err // the transport's own
	}
	if isStream(response) {
		v.report(request, response, v.checkHead(request, response))
		response.Body = newStreamCheck(v, request, response)
		return response, nil
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close() // The body was read to its end.
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
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
		v.t.Errorf("%s %s answered %d, which is not the contract: %v",
			request.Method, request.URL.Path, response.StatusCode, err)
	}
}

// check checks a whole answer.
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

// checkDocumented checks an answer against openapi.yaml. A nil body is not
// checked.
func (v *validator) checkDocumented(request *http.Request, response *http.Response, body []byte) error {
	path := v.contract.pathOf(request.URL)
	item := v.contract.spec.Paths.Value(path)
	if item == nil || item.GetOperation(request.Method) == nil {
		return checkUndocumented(request, response)
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: request,
			Route: &routers.Route{
				Spec: v.contract.spec, Path: path, PathItem: item,
				Method: request.Method, Operation: item.GetOperation(request.Method),
			},
		},
		Status: response.StatusCode, Header: response.Header,
		Options: &openapi3filter.Options{
			IncludeResponseStatus: true, MultiError: true, ExcludeResponseBody: body == nil,
			SchemaValidationOptions: v.contract.options,
		},
	}
	ok := item.GetOperation(request.Method).Responses.Status(http.StatusOK)
	if response.StatusCode == http.StatusOK && ok != nil && ok.Value.Content["*/*"] != nil {
		input.Options.ExcludeResponseBody = true // A file's bytes have no schema.
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

// checkUndocumented checks an answer to a request that is no operation. Below
// the API's prefix it must be a failure or the answer to a preflight.
func checkUndocumented(request *http.Request, response *http.Response) error {
	if response.StatusCode >= http.StatusBadRequest || request.Method == http.MethodOptions ||
		!strings.HasPrefix(request.URL.Path, apiPrefix) {
		return nil
	}
	return errors.New("no operation of openapi.yaml has this path and method")
}

// checkLimitHeaders checks that the answer of every limited operation has the
// rate limit headers and that no other answer has them.
func (v *validator) checkLimitHeaders(request *http.Request, response *http.Response) error {
	item := v.contract.spec.Paths.Value(v.contract.pathOf(request.URL))
	isOperation := isAPI(request) && item != nil && item.GetOperation(request.Method) != nil
	var errs []error
	for _, name := range []string{"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"} {
		values := response.Header.Values(name)
		if !v.limited || !isAPI(request) {
			if len(values) > 0 {
				errs = append(errs, fmt.Errorf("header %s, but nothing is limited here", name))
			}
			continue
		}
		if !isOperation {
			continue
		}
		if len(values) != 1 {
			errs = append(errs, fmt.Errorf("header %s comes %d times", name, len(values)))
		} else if n, err := strconv.Atoi(values[0]); err != nil || n < 0 {
			errs = append(errs, fmt.Errorf("header %s is %q", name, values[0]))
		}
	}
	return errors.Join(errs...)
}

// checkFailure checks the envelope, the code and the headers of a failure.
func (v *validator) checkFailure(request *http.Request, response *http.Response, body []byte) error {
	if response.StatusCode < http.StatusBadRequest || isReadiness(request, response) {
		return nil
	}
	errs := []error{v.checkSecrets(request, response, body)}
	if request.Method == http.MethodHead {
		return errors.Join(errs...)
	}
	if media := response.Header.Get("Content-Type"); !strings.HasPrefix(media, jsonMedia) {
		return errors.Join(append(errs, fmt.Errorf("a failure of type %q: %s", media, body))...)
	}
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return errors.Join(append(errs, fmt.Errorf("a failure that is not JSON: %s", body))...)
	}
	if err := v.contract.failure.VisitJSON(value, v.contract.options...); err != nil {
		return errors.Join(append(errs, fmt.Errorf("not the envelope of a failure: %w: %s", err, body))...)
	}
	var envelope failureEnvelope
	if err := json.Unmarshal(body, &envelope); err != nil {
		return errors.Join(append(errs, err)...)
	}
	return errors.Join(append(errs, checkCode(response, envelope.Error.Code, envelope.Error.Message))...)
}

type failureEnvelope struct {
	Error struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// isReadiness reports whether the answer is the 503 of /readyz, which has a
// body of its own.
func isReadiness(request *http.Request, response *http.Response) bool {
	return request.URL.Path == "/readyz" && response.StatusCode == http.StatusServiceUnavailable
}

// checkCode checks that the code fits the status and the headers.
func checkCode(response *http.Response, code, message string) error {
	var errs []error
	if status, ok := statusOf(code); !ok || status != response.StatusCode {
		errs = append(errs, fmt.Errorf("code %s does not go with the status", code))
	}
	if strings.TrimSpace(message) == "" {
		errs = append(errs, errors.New("the failure has no message"))
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

// checkSecrets checks that a failure holds no secret and no internal detail.
func (v *validator) checkSecrets(request *http.Request, response *http.Response, body []byte) error {
	secrets := append([]string{}, v.secrets...)
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
			return errors.New("a failure holds a secret")
		}
	}
	lower := strings.ToLower(string(body))
	for _, sign := range []string{"select ", "insert into", "sqlstate", "sqlite", "pgx", "gorm", ".go:", "goroutine", "/tmp/", "127.0.0.1"} {
		if strings.Contains(lower, sign) {
			return fmt.Errorf("a failure holds an internal detail (%q): %s", sign, body)
		}
	}
	return nil
}

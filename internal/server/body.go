package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/gin-gonic/gin"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/deadline"
)

const jsonType = "application/json"

const (
	// uploadTimeout is how long the client of an upload may take to send it.
	uploadTimeout = 5 * time.Minute
	// uploadIdleTimeout is how long the client may send nothing of it. It equals
	// the time that a client may read nothing of a stream.
	uploadIdleTimeout = 30 * time.Second
)

// prepareUpload gives an upload more time than other requests have, as long as
// its bytes arrive.
func prepareUpload(c *gin.Context) {
	c.Request.Body = deadline.NewReader(c.Writer, c.Request.Body, uploadIdleTimeout, uploadTimeout)
	// A writer without deadlines (a test's recorder) needs none.
	_ = http.NewResponseController(c.Writer).SetWriteDeadline(time.Now().Add(uploadTimeout + writeTimeout))
}

// readBody reads the body up to maxBody bytes and checks that it is exactly one
// JSON value; decoders ignore what follows the first. It answers the request and
// returns false if the body is refused.
func (k *checker) readBody(c *gin.Context) ([]byte, bool) {
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, k.maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		fail(c, http.StatusRequestEntityTooLarge, api.ErrorCodeRequestTooLarge,
			fmt.Sprintf("The body is larger than %d bytes, the limit.", k.maxBody))
		return nil, false
	case err != nil:
		fail(c, http.StatusBadRequest, api.ErrorCodeInvalidRequest, "The body could not be read to its end.")
		return nil, false
	}
	if len(body) == 0 {
		return nil, true
	}
	if !isJSONType(c.Request.Header.Get("Content-Type")) {
		fail(c, http.StatusUnsupportedMediaType, api.ErrorCodeUnsupportedMediaType,
			"The body must be JSON in UTF-8, sent with the header Content-Type: application/json.")
		return nil, false
	}
	if !json.Valid(body) || !utf8.Valid(body) { // RFC 8259, section 8.1
		fail(c, http.StatusBadRequest, api.ErrorCodeInvalidRequest, "The body is not one valid JSON value.")
		return nil, false
	}
	return body, true
}

// isJSONType reports whether a Content-Type is that of JSON in UTF-8. JSON has no
// parameter charset (RFC 8259, section 11), but clients send one.
func isJSONType(header string) bool {
	mediaType, params, err := mime.ParseMediaType(header)
	if err != nil || mediaType != jsonType {
		return false
	}
	charset, ok := params["charset"]
	return !ok || strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "utf8")
}

// checkBody checks the JSON of a body against its schema, and keeps the decoded
// value for the generated handler. Its errors are those of openapi3filter.
func (k *checker) checkBody(c *gin.Context, body *openapi3.RequestBody, data []byte) error {
	if len(data) == 0 {
		if body.Required {
			return &openapi3filter.RequestError{RequestBody: body, Err: openapi3filter.ErrInvalidRequired}
		}
		return nil
	}
	var value any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	err := decoder.Decode(&value)
	if err == nil {
		err = body.Content[jsonType].Schema.Value.VisitJSON(value, k.schema...)
	}
	if err != nil {
		return &openapi3filter.RequestError{RequestBody: body, Err: err}
	}
	c.Request.Body = checkedBody{io.NopCloser(bytes.NewReader(data)), value}
	return nil
}

// checkedBody is a body that was read and checked.
type checkedBody struct {
	io.ReadCloser

	value any
}

// ValidatedValue returns the decoded value. The generated handlers bind it instead
// of decoding the body again.
func (b checkedBody) ValidatedValue() any { return b.value }

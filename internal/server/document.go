package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gin-gonic/gin"
)

// Document is openapi.yaml with this server's values.
type Document struct {
	spec       *openapi3.T
	yaml, json []byte
	yamlTag    string
	jsonTag    string
}

// NewDocument replaces the defaults in the source by the server's values and
// parses the result.
func NewDocument(ctx context.Context, source []byte, values DocumentValues) (*Document, error) {
	text := values.fill(source)
	spec, err := openapi3.NewLoader().LoadFromData([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("parse openapi.yaml: %w", err)
	}
	// With a small MAX_MESSAGE_CHARS some examples are too long; that is harmless.
	if err := spec.Validate(ctx, openapi3.DisableExamplesValidation()); err != nil {
		return nil, fmt.Errorf("validate openapi.yaml: %w", err)
	}
	asJSON, err := spec.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("write openapi.json: %w", err)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, asJSON, "", "  "); err != nil {
		return nil, fmt.Errorf("indent openapi.json: %w", err)
	}
	d := &Document{spec: spec, yaml: []byte(text), json: indented.Bytes()}
	d.yamlTag, d.jsonTag = tagOf(d.yaml), tagOf(d.json)
	return d, nil
}

// YAML is the document as it is served.
func (d *Document) YAML() []byte { return d.yaml }

// JSON is the document as JSON.
func (d *Document) JSON() []byte { return d.json }

func tagOf(content []byte) string {
	sum := sha256.Sum256(content)
	return `"` + hex.EncodeToString(sum[:8]) + `"`
}

func (d *Document) serveYAML(c *gin.Context) { serve(c, "application/yaml", d.yamlTag, d.yaml) }
func (d *Document) serveJSON(c *gin.Context) { serve(c, "application/json", d.jsonTag, d.json) }

func serve(c *gin.Context, contentType, tag string, content []byte) {
	c.Header("Content-Type", contentType)
	c.Header("Cache-Control", "no-cache") // The settings may change.
	c.Header("ETag", tag)
	if c.Request.Header.Get("If-None-Match") == tag {
		c.Status(http.StatusNotModified)
		return
	}
	c.Header("Content-Length", strconv.Itoa(len(content)))
	c.Status(http.StatusOK)
	if c.Request.Method == http.MethodGet {
		_, _ = c.Writer.Write(content) // Writing fails only where the client has disconnected.
	}
}

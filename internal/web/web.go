// Package web serves the pages for browsers: the playground and Swagger UI. All
// files are embedded, and no page loads anything from another host.
package web

import (
	"bytes"
	"embed"
	"fmt"
	"net/http"
	"path"
	"strconv"
)

// `make web` builds the files in assets/built from playground/.
//
//go:embed assets
var assets embed.FS

const (
	html       = "text/html; charset=utf-8"
	css        = "text/css; charset=utf-8"
	javascript = "text/javascript; charset=utf-8"
	svg        = "image/svg+xml"
	text       = "text/plain; charset=utf-8"
)

// Route is a page or a file at one exact path.
type Route struct {
	// Path has no parameters and no wildcards.
	Path string
	// Handler answers GET and HEAD; other methods get 405 with Allow and no
	// body.
	Handler http.Handler
}

// Options are the settings that the pages show.
type Options struct {
	// MessageChars is the longest message, in characters.
	MessageChars int
	// DemoToken creates a token for the playground. It is nil if the server is no
	// demo; the user then pastes a token.
	DemoToken func() (string, error)
}

// Routes returns every path of this package, to be mounted for GET and HEAD. The
// paths are exact: the caller's router answers others, such as "/docs/unknown". The
// pages load "/openapi.json" and "/openapi.yaml", which the caller serves.
//
// Routes fails only if a file is missing from the binary.
func Routes(o Options) ([]Route, error) {
	files := []struct {
		path, contentType, name, policy string
	}{
		{"/", html, "index.html", playgroundPolicy},
		{"/playground.js", javascript, "built/playground.js", playgroundPolicy},
		{"/playground.css", css, "built/playground.css", playgroundPolicy},
		{"/theme.js", javascript, "theme.js", playgroundPolicy},
		{"/icon.svg", svg, "icon.svg", playgroundPolicy},
		{"/licenses.txt", text, "built/licenses.txt", playgroundPolicy},
		{"/docs", html, "docs.html", docsPolicy},
		{"/docs/", html, "docs.html", docsPolicy},
		{"/docs/docs.js", javascript, "docs.js", docsPolicy},
		{"/docs/docs.css", css, "built/docs.css", docsPolicy},
		{"/docs/swagger-ui.css", css, "built/swagger-ui.css.gz", docsPolicy},
		{"/docs/swagger-ui-bundle.js", javascript, "built/swagger-ui-bundle.js.gz", docsPolicy},
	}
	routes := make([]Route, 0, len(files)+1)
	for _, f := range files {
		data, err := assets.ReadFile(path.Join("assets", f.name))
		if err != nil {
			return nil, fmt.Errorf("web: embedded file for %s: %w", f.path, err)
		}
		routes = append(routes, Route{Path: f.path, Handler: newFile(f.contentType, f.policy, f.name, o.fillIn(f.path, data))})
	}
	if o.DemoToken != nil {
		routes = append(routes, Route{Path: demoTokenPath, Handler: demoToken{mint: o.DemoToken}})
	}
	return routes, nil
}

// fillIn writes the options into the playground's page.
func (o Options) fillIn(path string, data []byte) []byte {
	if path != "/" {
		return data
	}
	chars := strconv.Itoa(o.MessageChars)
	data = bytes.Replace(data, []byte(`data-message-chars="500"`), []byte(`data-message-chars="`+chars+`"`), 1)
	if o.DemoToken == nil {
		return data
	}
	return bytes.Replace(data, []byte(`data-demo="no"`), []byte(`data-demo="yes"`), 1)
}

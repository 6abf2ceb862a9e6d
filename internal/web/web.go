// Package web serves the pages for people: the landing page and Swagger UI.
// Everything is embedded, and no page loads anything from another host.
package web

import (
	"embed"
	"fmt"
	"net/http"
	"path"

	"github.com/swaggest/swgui/v5/static"
)

//go:embed assets
var assets embed.FS

const (
	html       = "text/html; charset=utf-8"
	css        = "text/css; charset=utf-8"
	javascript = "text/javascript; charset=utf-8"
	png        = "image/png"
)

// Route is a page or a file at one exact path.
type Route struct {
	// Path has no parameters and no wildcards.
	Path string
	// Handler answers GET and HEAD; other methods get 405 with Allow and no
	// body.
	Handler http.Handler
}

// Routes lists every path of this package, to be mounted for GET and HEAD.
// The paths are exact, so what lies beside them ("/docs/unknown") is left to
// the caller's router and its 404. The pages read "/openapi.json" and link to
// "/openapi.yaml" and "/health", which the caller serves.
//
// It fails only if the binary was built without one of its files.
func Routes() ([]Route, error) {
	files := []struct {
		path, contentType string
		from              embed.FS
		name              string
	}{
		{"/", html, assets, "assets/landing.html"},
		{"/site.css", css, assets, "assets/site.css"},
		{"/docs", html, assets, "assets/docs.html"},
		{"/docs/", html, assets, "assets/docs.html"},
		{"/docs/init.js", javascript, assets, "assets/init.js"},
		{"/docs/swagger-ui.css", css, static.FS, "swagger-ui.css.gz"},
		{"/docs/swagger-ui-bundle.js", javascript, static.FS, "swagger-ui-bundle.js.gz"},
		{"/docs/favicon-32x32.png", png, static.FS, "favicon-32x32.png"},
	}
	routes := make([]Route, 0, len(files))
	for _, f := range files {
		data, err := f.from.ReadFile(f.name)
		if err != nil {
			return nil, fmt.Errorf("web: embedded file for %s: %w", f.path, err)
		}
		content := newFile(f.contentType, data)
		if path.Ext(f.name) == ".gz" {
			content = newPackedFile(f.contentType, data)
		}
		routes = append(routes, Route{Path: f.path, Handler: content})
	}
	return routes, nil
}

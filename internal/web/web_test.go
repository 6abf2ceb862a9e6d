package web_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/web"
)

func routes(t *testing.T) map[string]http.Handler {
	t.Helper()
	return routesOf(t, web.Options{MessageChars: 500})
}

func routesOf(t *testing.T, options web.Options) map[string]http.Handler {
	t.Helper()
	listed, err := web.Routes(options)
	if err != nil {
		t.Fatal(err)
	}
	byPath := make(map[string]http.Handler, len(listed))
	for _, route := range listed {
		if byPath[route.Path] != nil {
			t.Fatalf("path %s is listed twice", route.Path)
		}
		byPath[route.Path] = route.Handler
	}
	return byPath
}

func ask(t *testing.T, site map[string]http.Handler, method, path string, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	handler := site[path]
	if handler == nil {
		t.Fatalf("no route %s", path)
	}
	request := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	maps.Copy(request.Header, header)
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder
}

func TestEveryRouteAnswers(t *testing.T) {
	t.Parallel()
	site := routes(t)
	types := map[string]string{
		"/":                          "text/html; charset=utf-8",
		"/playground.js":             "text/javascript; charset=utf-8",
		"/playground.css":            "text/css; charset=utf-8",
		"/theme.js":                  "text/javascript; charset=utf-8",
		"/icon.svg":                  "image/svg+xml",
		"/licenses.txt":              "text/plain; charset=utf-8",
		"/docs":                      "text/html; charset=utf-8",
		"/docs/":                     "text/html; charset=utf-8",
		"/docs/docs.js":              "text/javascript; charset=utf-8",
		"/docs/docs.css":             "text/css; charset=utf-8",
		"/docs/swagger-ui.css":       "text/css; charset=utf-8",
		"/docs/swagger-ui-bundle.js": "text/javascript; charset=utf-8",
	}
	if got := len(site); got != len(types) {
		t.Fatalf("%d routes, want %d", got, len(types))
	}
	for path, contentType := range types {
		response := ask(t, site, http.MethodGet, path, nil)
		body := response.Body.Bytes()
		if response.Code != http.StatusOK || len(body) == 0 {
			t.Errorf("GET %s: status %d, %d bytes", path, response.Code, len(body))
		}
		if got := response.Header().Get("Content-Type"); got != contentType {
			t.Errorf("GET %s: Content-Type %q, want %q", path, got, contentType)
		}
		if response.Header().Get("Content-Length") != strconv.Itoa(len(body)) {
			t.Errorf("GET %s: Content-Length %s, body has %d bytes", path, response.Header().Get("Content-Length"), len(body))
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff",
			"X-Frame-Options":        "DENY",
			"Referrer-Policy":        "no-referrer",
			"Cache-Control":          "no-cache",
		} {
			if got := response.Header().Get(name); got != want {
				t.Errorf("GET %s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
}

func TestPolicyAllowsOwnFilesOnly(t *testing.T) {
	t.Parallel()
	site := routes(t)
	for path := range site {
		response := ask(t, site, http.MethodGet, path, nil)
		policy := response.Header().Get("Content-Security-Policy")
		for _, want := range []string{
			"default-src 'none'", "script-src 'self'", "style-src 'self'",
			"connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'",
		} {
			if !strings.Contains(policy+";", want+";") {
				t.Errorf("%s: policy %q lacks %q", path, policy, want)
			}
		}
		images, docs := "img-src 'self';", strings.HasPrefix(path, "/docs")
		if docs {
			images = "img-src 'self' data: blob:;" // in Swagger UI's own style sheet, and answers that are images
		}
		if !strings.Contains(policy+";", images) {
			t.Errorf("%s: policy %q lacks %q", path, policy, images)
		}
		if !docs && !strings.HasSuffix(policy, "require-trusted-types-for 'script'; trusted-types 'none'") {
			t.Errorf("%s: policy %q permits markup from text", path, policy)
		}
		if strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q has an unsafe source", path, policy)
		}
	}
}

// The pages comply with the policy: nothing is inline, and every file they name
// is one that this package or its caller serves.
func TestPagesNameOnlyServedFiles(t *testing.T) {
	t.Parallel()
	site := routes(t)
	served := maps.Clone(site)
	for _, path := range []string{"/openapi.yaml"} {
		served[path] = http.NotFoundHandler()
	}
	named := regexp.MustCompile(`(?:src|href)="([^"]*)"`)
	inline := regexp.MustCompile(`(?i)<style|\sstyle=|\son\w+=|javascript:|<script>`)
	for _, path := range []string{"/", "/docs", "/docs/"} {
		page := ask(t, site, http.MethodGet, path, nil).Body.Bytes()
		if found := inline.Find(page); found != nil {
			t.Errorf("%s: inline %q", path, found)
		}
		matches := named.FindAllSubmatch(page, -1)
		if len(matches) == 0 {
			t.Errorf("%s names no file", path)
		}
		for _, match := range matches {
			if served[string(match[1])] == nil {
				t.Errorf("%s names %q, which is not served", path, match[1])
			}
		}
	}
}

func TestSwaggerUISettings(t *testing.T) {
	t.Parallel()
	site := routes(t)
	script := ask(t, site, http.MethodGet, "/docs/docs.js", nil).Body.String()
	for _, want := range []string{
		"url: '/openapi.yaml'", "validatorUrl: null", "persistAuthorization: false",
		"tryItOutEnabled: true", "displayRequestDuration: true", "deepLinking: true",
	} {
		if !strings.Contains(script, want) {
			t.Errorf("docs.js lacks %q", want)
		}
	}
	if strings.Contains(script, "://") {
		t.Error("docs.js names another host")
	}
}

func TestPackedFilesAreServedAsTheClientAsks(t *testing.T) {
	t.Parallel()
	site := routes(t)
	const path = "/docs/swagger-ui-bundle.js"
	plain := ask(t, site, http.MethodGet, path, nil).Body.Bytes()
	if !bytes.Contains(plain, []byte("SwaggerUIBundle")) {
		t.Fatal("the plain bundle is not Swagger UI's")
	}
	tests := map[string]bool{
		"":                        false,
		"gzip":                    true,
		"GZIP":                    true,
		"x-gzip":                  true,
		"deflate, gzip;q=0.5, br": true,
		"*":                       true,
		"gzip;q=0":                false,
		"gzip; q=0.000":           false,
		"gzip;q=0, *":             false,
		"*;q=0, gzip":             true,
		"*;q=0":                   false,
		"br, deflate":             false,
		"notgzip":                 false,
	}
	for accept, packed := range tests {
		response := ask(t, site, http.MethodGet, path, http.Header{"Accept-Encoding": {accept}})
		body := response.Body.Bytes()
		if got := response.Header().Get("Content-Encoding") == "gzip"; got != packed {
			t.Errorf("Accept-Encoding %q: packed is %v, want %v", accept, got, packed)
			continue
		}
		if response.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("Accept-Encoding %q: Vary is %q", accept, response.Header().Get("Vary"))
		}
		if packed {
			body = unpack(t, body)
		}
		if !bytes.Equal(body, plain) {
			t.Errorf("Accept-Encoding %q: the bytes differ", accept)
		}
	}
}

func TestPackedFilesKeepTheServersVary(t *testing.T) {
	t.Parallel()
	site := routes(t)
	for _, path := range []string{"/playground.js", "/docs/swagger-ui-bundle.js"} {
		recorder := httptest.NewRecorder()
		recorder.Header().Set("Vary", "Origin")
		site[path].ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		if got := strings.Join(recorder.Header().Values("Vary"), ", "); got != "Origin, Accept-Encoding" {
			t.Errorf("%s: Vary is %q", path, got)
		}
	}
}

func unpack(t *testing.T, packed []byte) []byte {
	t.Helper()
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestFilesAreRevalidated(t *testing.T) {
	t.Parallel()
	site := routes(t)
	for path := range site {
		for _, accept := range []string{"identity", "gzip"} {
			header := http.Header{"Accept-Encoding": {accept}}
			first := ask(t, site, http.MethodGet, path, header)
			tag := first.Header().Get("ETag")
			if len(tag) < 10 || tag[0] != '"' {
				t.Errorf("%s (%s): ETag %q", path, accept, tag)
			}
			for _, known := range []string{tag, "W/" + tag, `"old", ` + tag, "*"} {
				header.Set("If-None-Match", known)
				again := ask(t, site, http.MethodGet, path, header)
				if body := again.Body.Bytes(); again.Code != http.StatusNotModified || len(body) != 0 {
					t.Errorf("%s (%s), If-None-Match %s: status %d, %d bytes", path, accept, known, again.Code, len(body))
				}
				if again.Header().Get("ETag") != tag {
					t.Errorf("%s (%s): the 304 has ETag %q, want %q", path, accept, again.Header().Get("ETag"), tag)
				}
			}
			header.Set("If-None-Match", `"old"`)
			changed := ask(t, site, http.MethodGet, path, header)
			if changed.Code != http.StatusOK {
				t.Errorf("%s (%s), an old ETag: status %d", path, accept, changed.Code)
			}
		}
	}
}

func TestPackedAndPlainHaveTheirOwnETag(t *testing.T) {
	t.Parallel()
	site := routes(t)
	const path = "/playground.js"
	plain := ask(t, site, http.MethodGet, path, nil)
	packed := ask(t, site, http.MethodGet, path, http.Header{"Accept-Encoding": {"gzip"}})
	if plain.Header().Get("ETag") == packed.Header().Get("ETag") {
		t.Error("both answers have the same ETag")
	}
}

func TestHeadHasTheHeadersOfGet(t *testing.T) {
	t.Parallel()
	site := routes(t)
	for path := range site {
		get := ask(t, site, http.MethodGet, path, nil)
		head := ask(t, site, http.MethodHead, path, nil)
		if body := head.Body.Bytes(); head.Code != http.StatusOK || len(body) != 0 {
			t.Errorf("HEAD %s: status %d, %d bytes", path, head.Code, len(body))
		}
		for _, name := range []string{"Content-Length", "Content-Type", "Etag", "Content-Security-Policy"} {
			if head.Header().Get(name) != get.Header().Get(name) {
				t.Errorf("HEAD %s: %s is %q, GET has %q", path, name, head.Header().Get(name), get.Header().Get(name))
			}
		}
	}
}

func TestOtherMethodsAreRefused(t *testing.T) {
	t.Parallel()
	site := routes(t)
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		response := ask(t, site, method, "/docs", nil)
		if response.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s: status %d", method, response.Code)
		}
		if got := response.Header().Get("Allow"); got != "GET, HEAD" {
			t.Errorf("%s: Allow is %q", method, got)
		}
	}
}

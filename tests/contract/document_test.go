package contract_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// served returns a page. It fails the test unless the page has the media type.
func served(t *testing.T, server *harness.Server, path, media string) string {
	t.Helper()
	answer := server.Do(t, harness.Request{Method: http.MethodGet, Path: path})
	if answer.Status != http.StatusOK || !strings.HasPrefix(answer.Header.Get("Content-Type"), media) {
		t.Fatalf("%s: got %d of type %q", path, answer.Status, answer.Header.Get("Content-Type"))
	}
	return string(answer.Body)
}

func parseDocument(t *testing.T, text string) *openapi3.T {
	t.Helper()
	spec, err := openapi3.NewLoader().LoadFromData([]byte(text))
	if err != nil {
		t.Fatalf("parse the served document: %v", err)
	}
	if err := spec.Validate(t.Context()); err != nil {
		t.Fatalf("the served document is not valid: %v", err)
	}
	return spec
}

// TestDocumentDefaults checks that the document has this server's values, and
// that its YAML and JSON forms are equal.
func TestDocumentDefaults(t *testing.T) {
	t.Parallel()
	env := map[string]string{"RATE_LIMIT_PER_MINUTE": harness.Unset}
	onEach(t, env, func(t *testing.T, server *harness.Server) {
		fromYAML := parseDocument(t, served(t, server, "/openapi.yaml", "application/yaml"))
		text := served(t, server, "/openapi.json", "application/json")
		if !sameJSON(t, fromYAML, parseDocument(t, text)) {
			t.Error("/openapi.yaml and /openapi.json differ")
		}
		if fromYAML.OpenAPI != "3.0.3" {
			t.Errorf("the document is of OpenAPI %s", fromYAML.OpenAPI)
		}
		wantDocumented(t, text, fromYAML, server.URL, 500, "500 characters", "10 sessions", "30 requests")
	})
}

// wantDocumented fails the test unless the document has these values.
func wantDocumented(t *testing.T, text string, spec *openapi3.T, url string, maxLength uint64, phrases ...string) {
	t.Helper()
	if len(spec.Servers) != 1 || spec.Servers[0].URL != url {
		t.Errorf("the document's servers are %v, want %s", spec.Servers, url)
	}
	field := spec.Components.Schemas["CreateRunContent"].Value.Properties["text"].Value
	if field.MaxLength == nil || *field.MaxLength != maxLength {
		t.Errorf("a text's maxLength is %v, want %d", field.MaxLength, maxLength)
	}
	for _, phrase := range phrases {
		if !strings.Contains(text, phrase) {
			t.Errorf("the document does not have %q", phrase)
		}
	}
}

func sameJSON(t *testing.T, one, other *openapi3.T) bool {
	t.Helper()
	texts := [2]string{}
	for n, spec := range []*openapi3.T{one, other} {
		data, err := json.Marshal(spec)
		if err != nil {
			t.Fatal(err)
		}
		texts[n] = string(data)
	}
	return texts[0] == texts[1]
}

func otherValues() map[string]string {
	return map[string]string{
		"MAX_MESSAGE_CHARS": "123", "MAX_SESSIONS_PER_USER": "7", "RATE_LIMIT_PER_MINUTE": "45",
		"PUBLIC_URL": "https://chat.example.com/", "OPENROUTER_MODEL": "test/usual", "MODELS": "test/other,test/usual",
		"ATTACHMENTS_URL": "file:///files", "ATTACHMENT_MAX_BYTES": "4096", "ATTACHMENT_TYPES": "image/png,text/plain",
	}
}

// TestDocumentChoices checks that the document lists the models and the file
// types that a client may choose, and that each other one is refused with its
// own error.
func TestDocumentChoices(t *testing.T) {
	t.Parallel()
	onEach(t, otherValues(), func(t *testing.T, server *harness.Server) {
		spec := parseDocument(t, served(t, server, "/openapi.json", "application/json"))
		wantEnum(t, spec, "CreateRunRequest", "model", "test/usual", "test/other")
		wantEnum(t, spec, "InferenceOptionsInput", "model", "test/usual", "test/other", nil)
		wantEnum(t, spec, "AttachmentCreateParams", "mime_type", "image/png", "text/plain")

		alice := server.User(t)
		session := alice.CreateSession()
		run := func(model string) harness.Answer {
			return alice.Do(runRequest(session, strings.Replace(messageJSON(t, "Hello "+model), "{", `{"model":"`+model+`",`, 1)))
		}
		wantOK(t, run("test/other"))
		if asked := server.Upstream.Await(t, "Hello test/other"); asked.Body.Model != "test/other" {
			t.Errorf("the upstream was asked for %q", asked.Body.Model)
		}
		refused := run("test/third")
		want(t, refused, 400, "INVALID_REQUEST")
		wantNamed(t, refused, "it offers test/usual, test/other.")

		announce := func(mimeType string, size int) harness.Answer {
			body := fmt.Sprintf(`{"type":"attachments.create","params":{"name":"a","mime_type":%q,"size":%d}}`, mimeType, size)
			return alice.Do(harness.Request{Method: http.MethodPost, Path: "/api/v1/chatkit", Body: strings.NewReader(body)})
		}
		wantOK(t, announce("Text/Plain; charset=utf-8", 4096))
		want(t, announce("text/plain", 4097), 413, "REQUEST_TOO_LARGE")
		want(t, announce("image/gif", 4096), 415, "UNSUPPORTED_MEDIA_TYPE")
	})
}

// wantEnum fails the test unless the property has exactly these values.
func wantEnum(t *testing.T, spec *openapi3.T, schema, property string, values ...any) {
	t.Helper()
	if got := spec.Components.Schemas[schema].Value.Properties[property].Value.Enum; !slices.Equal(got, values) {
		t.Errorf("%s of %s is one of %v, want %v", property, schema, got, values)
	}
}

// TestDocumentSettings checks that the document has the values of the settings
// and not the defaults.
func TestDocumentSettings(t *testing.T) {
	t.Parallel()
	onEach(t, otherValues(), func(t *testing.T, server *harness.Server) {
		text := served(t, server, "/openapi.json", "application/json")
		wantDocumented(t, text, parseDocument(t, text), "https://chat.example.com", 123, "123 characters", "7 sessions", "45 requests")
		yaml := served(t, server, "/openapi.yaml", "application/yaml")
		wantDocumented(t, yaml, parseDocument(t, yaml), "https://chat.example.com", 123, "123 characters", "7 sessions", "45 requests")
		for _, document := range []string{text, yaml} {
			for _, phrase := range []string{"500 char", "10 sessions", "30 requests", "127.0.0.1", "longer than 500", `example": 30`, "example: 30"} {
				if strings.Contains(document, phrase) {
					t.Errorf("the document still has %q", phrase)
				}
			}
		}

		// The server does what its document says.
		alice := server.User(t)
		session := alice.CreateSession()
		wantOK(t, alice.Do(runRequest(session, messageJSON(t, strings.Repeat("a", 123)))))
		answer := alice.Do(runRequest(session, messageJSON(t, strings.Repeat("a", 124))))
		want(t, answer, 400, "MESSAGE_TOO_LONG")
		wantNamed(t, answer, "123")
		if got := answer.Header.Get("Ratelimit-Limit"); got != "45" {
			t.Errorf("RateLimit-Limit is %s, want 45", got)
		}
	})
}

// documentWithoutLimit checks that a server without a rate limit documents
// none.
func documentWithoutLimit(t *testing.T, server *harness.Server) {
	text := served(t, server, "/openapi.json", "application/json")
	parseDocument(t, text)
	for _, phrase := range []string{"30 requests", "0 requests"} {
		if strings.Contains(text, phrase) {
			t.Errorf("the document has %q", phrase)
		}
	}
}

// TestDocumentPages tests the documentation pages.
func TestDocumentPages(t *testing.T) {
	t.Parallel()
	suite(t, nil, map[string]check{"without limit": documentWithoutLimit, "docs": docs})
}

// TestLongerMessages checks that a message limit above the default is applied.
func TestLongerMessages(t *testing.T) {
	t.Parallel()
	env := map[string]string{"MAX_MESSAGE_CHARS": "20000"}
	onEach(t, env, func(t *testing.T, server *harness.Server) {
		alice := server.User(t)
		session := alice.CreateSession()
		wantOK(t, alice.Do(runRequest(session, messageJSON(t, strings.Repeat(astral, 20_000)))))
		want(t, alice.Do(runRequest(session, messageJSON(t, strings.Repeat(astral, 20_001)))), 400, "MESSAGE_TOO_LONG")
	})
}

// docs checks that Swagger UI loads all its files from this server.
func docs(t *testing.T, server *harness.Server) {
	source := regexp.MustCompile(`(?:src|href)="([^"]+)"`)
	page := served(t, server, "/docs", "text/html")
	found := source.FindAllStringSubmatch(page, -1)
	if len(found) == 0 {
		t.Fatalf("/docs loads nothing: %s", page)
	}
	for _, match := range found {
		path := match[1]
		if strings.Contains(path, "//") {
			t.Errorf("/docs refers to %s", path)
			continue
		}
		if !strings.HasPrefix(path, "/") {
			path = "/docs/" + strings.TrimPrefix(path, "./")
		}
		if answer := server.Do(t, harness.Request{Method: http.MethodGet, Path: path}); answer.Status != http.StatusOK {
			t.Errorf("/docs refers to %s, which answers %d", path, answer.Status)
		}
	}
	served(t, server, "/", "text/html")
}

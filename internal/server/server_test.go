package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/gen/document"
	"github.com/chatkit-rest/chatkit-rest/internal/auth"
	"github.com/chatkit-rest/chatkit-rest/internal/server"
)

// door is a REST door whose operations are what a test makes them.
type door struct {
	api.StrictServerInterface

	createThread func(context.Context) (api.CreateThreadResponseObject, error)
}

func (d door) CreateThread(ctx context.Context, _ api.CreateThreadRequestObject) (api.CreateThreadResponseObject, error) {
	return d.createThread(ctx)
}

var secret = []byte("a secret of the tests, 32 bytes or more")

// newOptions are of a server on the door, and bearer is whom it lets in.
func newOptions(tb testing.TB, d api.StrictServerInterface, log io.Writer) (options server.Options, bearer string) {
	tb.Helper()
	verifier, err := auth.NewJWT(auth.Options{Secrets: [][]byte{secret}})
	if err != nil {
		tb.Fatal(err)
	}
	authenticator, err := auth.NewAuthenticator(verifier, nil)
	if err != nil {
		tb.Fatal(err)
	}
	doc, err := server.NewDocument(tb.Context(), document.YAML, server.DocumentValues{
		ServerURL: "http://127.0.0.1:8080", MessageChars: 500, SessionsPerUser: 10, RequestsPerMinute: 30,
	})
	if err != nil {
		tb.Fatal(err)
	}
	token, err := auth.Mint(secret, "alice", time.Hour, time.Now())
	if err != nil {
		tb.Fatal(err)
	}
	return server.Options{
		API: d, Document: doc, Auth: authenticator, MaxBody: 1 << 20, Logger: slog.New(slog.NewTextHandler(log, nil)),
	}, "Bearer " + token
}

func newHandler(tb testing.TB, d api.StrictServerInterface, log io.Writer) (handler http.Handler, bearer string) {
	tb.Helper()
	options, bearer := newOptions(tb, d, log)
	handler, err := server.NewHandler(options)
	if err != nil {
		tb.Fatal(err)
	}
	return handler, bearer
}

func post(handler http.Handler, path, bearer, body string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	request.Header.Set("Authorization", bearer)
	request.Header.Set("Content-Type", "application/json")
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder
}

func threadsPath() string { return "/api/v1/chatkit/sessions/" + uuid.NewString() + "/threads" }

// What went wrong inside is in the log and nowhere else.
func TestInternalErrorsAreNotExposed(t *testing.T) {
	t.Parallel()
	const inner = "dial postgres://user:hunter2@db"
	for name, fail := range map[string]func(context.Context) (api.CreateThreadResponseObject, error){
		"error": func(context.Context) (api.CreateThreadResponseObject, error) { return nil, errors.New(inner) },
		"panic": func(context.Context) (api.CreateThreadResponseObject, error) { panic(inner) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log strings.Builder
			handler, bearer := newHandler(t, door{createThread: fail}, &log)
			answer := post(handler, threadsPath(), bearer, "")
			var body api.ErrorResponse
			if err := json.Unmarshal(answer.Body.Bytes(), &body); err != nil {
				t.Fatalf("%s: %v", answer.Body, err)
			}
			if answer.Code != http.StatusInternalServerError || body.Error.Code != api.ErrorCodeInternalError {
				t.Errorf("got %d %s", answer.Code, body.Error.Code)
			}
			if strings.Contains(answer.Body.String(), "hunter2") {
				t.Errorf("the answer tells the fault: %s", answer.Body)
			}
			if !strings.Contains(log.String(), inner) {
				t.Errorf("the log does not tell the fault: %s", &log)
			}
		})
	}
}

// A client that goes away ends its request's context, through every layer.
func TestDisconnectEndsTheContext(t *testing.T) {
	t.Parallel()
	entered, ended := make(chan struct{}), make(chan struct{})
	handler, bearer := newHandler(t, door{
		createThread: func(ctx context.Context) (api.CreateThreadResponseObject, error) {
			close(entered)
			<-ctx.Done()
			close(ended)
			return nil, ctx.Err()
		},
	}, io.Discard)
	remote := httptest.NewServer(handler)
	defer remote.Close()
	ctx, leave := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, remote.URL+threadsPath(), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", bearer)
	go func() {
		<-entered
		leave()
	}()
	if response, err := http.DefaultClient.Do(request); err == nil {
		response.Body.Close()
		t.Fatal("the request was answered")
	}
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("the handler's context did not end")
	}
}

// TestDocumentHasTheServersValues checks that the served document has this
// server's values and none of the defaults.
func TestDocumentHasTheServersValues(t *testing.T) {
	t.Parallel()
	doc, err := server.NewDocument(t.Context(), document.YAML, server.DocumentValues{
		ServerURL: "https://chat.example.com", MessageChars: 1234, SessionsPerUser: 77, RequestsPerMinute: 99,
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"yaml": string(doc.YAML()), "json": string(doc.JSON())} {
		for _, want := range []string{"https://chat.example.com", "1234 characters", "77 sessions", "99 requests"} {
			if !strings.Contains(content, want) {
				t.Errorf("%s does not have %q", name, want)
			}
		}
		for _, not := range []string{"127.0.0.1:8080", "500 characters", "10 sessions", "30 requests", ": 500"} {
			if strings.Contains(content, not) {
				t.Errorf("%s has the default %q", name, not)
			}
		}
	}
}

// choices is what a document states about models and files.
type choices struct {
	restModel, protocolModel, size, mimeType *openapi3.Schema
	create                                   string
}

func choicesOf(t *testing.T, facts server.DocumentValues) choices {
	t.Helper()
	doc, err := server.NewDocument(t.Context(), document.YAML, facts)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := openapi3.NewLoader().LoadFromData(doc.YAML())
	if err != nil {
		t.Fatal(err)
	}
	field := func(schema, name string) *openapi3.Schema {
		return spec.Components.Schemas[schema].Value.Properties[name].Value
	}
	return choices{
		field("CreateRunRequest", "model"), field("InferenceOptionsInput", "model"),
		field("AttachmentCreateParams", "size"), field("AttachmentCreateParams", "mime_type"),
		spec.Components.Schemas["AttachmentsCreateReq"].Value.Description,
	}
}

func TestDocumentListsModels(t *testing.T) {
	t.Parallel()
	// A name may hold what means something else in YAML.
	some := choicesOf(t, server.DocumentValues{ServerURL: "http://127.0.0.1:8080", Models: []string{"a/default", `odd: "name" # 7`}})
	if want := []any{"a/default", `odd: "name" # 7`}; !slices.Equal(some.restModel.Enum, want) {
		t.Errorf("model has %v, want %v", some.restModel.Enum, want)
	}
	if want := []any{"a/default", `odd: "name" # 7`, nil}; !slices.Equal(some.protocolModel.Enum, want) {
		t.Errorf("inference_options.model has %v, want %v", some.protocolModel.Enum, want)
	}
	for _, field := range []*openapi3.Schema{some.restModel, some.protocolModel} {
		if !strings.Contains(field.Description, ", `a/default` answers.") || field.Default != nil {
			t.Errorf("the default model is described by %q and %v", field.Description, field.Default)
		}
	}
	one := choicesOf(t, server.DocumentValues{ServerURL: "http://127.0.0.1:8080", Models: []string{"a/default"}})
	for _, field := range []*openapi3.Schema{one.restModel, one.protocolModel} {
		if !strings.Contains(field.Description, "no choice of models: `a/default` answers") || field.Enum != nil {
			t.Errorf("a server without a choice of models describes it as %q with %v", field.Description, field.Enum)
		}
	}
}

func TestDocumentListsAcceptedFiles(t *testing.T) {
	t.Parallel()
	some := choicesOf(t, server.DocumentValues{ServerURL: "http://127.0.0.1:8080", AttachmentTypes: []string{"image/png", "text/plain"}, AttachmentBytes: 4096})
	if !slices.Equal(some.mimeType.Enum, []any{"image/png", "text/plain"}) || some.size.Max == nil || *some.size.Max != 4096 {
		t.Errorf("types %v, most bytes %v", some.mimeType.Enum, some.size.Max)
	}
	if !strings.Contains(some.create, "4096 bytes") || strings.Contains(some.create, "NOT_SUPPORTED") {
		t.Errorf("a server that accepts files describes them as %q", some.create)
	}
	none := choicesOf(t, server.DocumentValues{ServerURL: "http://127.0.0.1:8080"})
	if none.mimeType.Enum != nil || none.size.Max != nil || !strings.Contains(none.create, "This server does not accept files") {
		t.Errorf("a server that accepts no files has %v, %v and %q", none.mimeType.Enum, none.size.Max, none.create)
	}
}

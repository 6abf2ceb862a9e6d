package server_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
)

// heard is a door that keeps what it was asked.
type heard struct {
	api.StrictServerInterface

	body *api.CreateRunJSONRequestBody
}

func (h *heard) CreateRun(_ context.Context, r api.CreateRunRequestObject) (api.CreateRunResponseObject, error) {
	h.body = r.Body
	return accepted{}, nil
}

type accepted struct{}

func (accepted) VisitCreateRunResponse(w http.ResponseWriter) error {
	w.WriteHeader(http.StatusOK)
	return nil
}

// Whatever the body, the answer is a documented one: either the door hears
// what the body says, or the refusal is in the envelope and quotes no value.
func FuzzRequestBody(f *testing.F) {
	for _, seed := range []string{
		`{"message":{"role":"user","content":[{"type":"input_text","text":"hello"}]}}`,
		`{"message":{"role":"user","content":[]}}`, `{"message":{"role":"system","content":[]}}`,
		`{"message":{"role":"user","content":[{"type":"input_text","text":"hunter2-hunter2"}]},"x":"hunter2-hunter2"}`,
		`{"message":{"role":"hunter2-hunter2","content":[]}}`, `{"message":{"content":[{"type":"input_text"}]}}`,
		`{"message":{"role":"user","content":[{"type":"input_text","text":"a"},{"type":"output_text","text":1}]}}`,
		`{"message":{"role":"user","role":"assistant","content":[]}}`, `{} {}`, `[]`, `null`, `"`, ``, "\xff\xfe", "{\"\x00\":1}",
		`{"message":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + `}`, `{"message":1e999}`,
		`{"message":{"role":"user","content":[{"type":"input_text","text":"\ud800\u0000🙂"}]}}`,
		`{"message":{"role":"user","content":[` + strings.Repeat(`{"type":"input_text","text":""},`, 20) +
			`{"type":"input_text","text":"a"}]}}`,
	} {
		f.Add([]byte(seed))
	}
	door := &heard{}
	handler, bearer := newHandler(f, door, io.Discard)
	id := uuid.NewString()
	path := "/api/v1/chatkit/sessions/" + id + "/threads/" + id + "/runs"
	f.Fuzz(func(t *testing.T, body []byte) {
		door.body = nil
		answer := post(handler, path, bearer, string(body))
		if answer.Code == http.StatusOK {
			checkHeard(t, door.body, body)
			return
		}
		var failure api.ErrorResponse
		if err := json.Unmarshal(answer.Body.Bytes(), &failure); err != nil {
			t.Fatalf("%d with %q: %v", answer.Code, answer.Body, err)
		}
		if answer.Code != http.StatusBadRequest || failure.Error.Code != api.ErrorCodeInvalidRequest || failure.Success {
			t.Errorf("%q was answered %d %s", body, answer.Code, failure.Error.Code)
		}
		if len(failure.Error.Message) > 400 || strings.Contains(failure.Error.Message, "hunter2-hunter2") {
			t.Errorf("%q was refused with %q", body, failure.Error.Message)
		}
		checkPlanted(t, body, func(planted string) string { return post(handler, path, bearer, planted).Body.String() })
	})
}

// secretNames are what a client may send as the name of a field by mistake; some
// are in two parts, lest a scanner takes them for real.
func secretNames() []string {
	return []string{
		"hunter2-hunter2", "sk-or-v1-0123456789abcdef", "sk" + "_live_51HxQw2eZvKYlo2C", "AKIAIOSFODNN7EXAMPLE",
		"ghp" + "_16C7e42F292c6912E7710c838347Ae178B4a", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2ln", "deadbeefcafe",
		"4111111111111111", "jbswydpehpkpxpqrstuvwxyz", "xKmQvRtLpZwNbHjYcSdF", "alice@example.com", "päßwort",
	}
}

// checkPlanted sends the body again with secrets as the names of fields in each
// of its objects, and wants none of them told.
func checkPlanted(t *testing.T, body []byte, send func(string) string) {
	t.Helper()
	var value any
	if json.Unmarshal(body, &value) != nil {
		return
	}
	for _, name := range secretNames() {
		planted, err := json.Marshal(plant(value, name))
		if err != nil {
			t.Fatal(err)
		}
		if answer := send(string(planted)); strings.Contains(answer, name) {
			t.Errorf("%s was answered %s", planted, answer)
		}
	}
}

// plant is a value whose every object has one more field.
func plant(value any, name string) any {
	switch value := value.(type) {
	case map[string]any:
		more := map[string]any{name: 1}
		for key, inner := range value {
			more[key] = plant(inner, name)
		}
		return more
	case []any:
		more := make([]any, len(value))
		for n, inner := range value {
			more[n] = plant(inner, name)
		}
		return more
	default:
		return value
	}
}

// checkHeard sees that a door was asked only what the document allows.
func checkHeard(t *testing.T, asked *api.CreateRunJSONRequestBody, body []byte) {
	t.Helper()
	if asked == nil || !json.Valid(body) || !utf8.Valid(body) {
		t.Fatalf("%q got through as %+v", body, asked)
	}
	if asked.Message.Role != api.CreateRunMessageRoleUser {
		t.Errorf("%q got through with the role %q", body, asked.Message.Role)
	}
	for _, part := range asked.Message.Content {
		if part.Type != api.CreateRunContentTypeInputText {
			t.Errorf("%q got through with a part of type %q", body, part.Type)
		}
	}
}

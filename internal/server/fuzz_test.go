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
	})
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

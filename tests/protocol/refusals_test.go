package protocol_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// kind is a request type with valid params for a thread with an item.
type kind struct {
	name   string
	params func(thread, item uuid.UUID) object
	// optional are params that may be left out; words have values of any type.
	optional, words []string
	// owned says that it names a thread.
	owned bool
}

func kinds() []kind {
	thread := func(more object) func(uuid.UUID, uuid.UUID) object {
		return func(thread, item uuid.UUID) object {
			params := object{"thread_id": thread}
			for name, value := range more {
				if value == "{item}" {
					value = item
				}
				params[name] = value
			}
			return params
		}
	}
	return []kind{
		{name: "threads.create", params: func(uuid.UUID, uuid.UUID) object { return object{"input": input("Hello")} }},
		{name: "threads.add_user_message", params: thread(object{"input": input("Hello")}), owned: true},
		{name: "threads.add_client_tool_output", params: thread(object{"result": object{}}), words: []string{"result"}, owned: true},
		{name: "threads.retry_after_item", params: thread(object{"item_id": "{item}"}), owned: true},
		{name: "threads.custom_action", params: thread(object{"action": object{"type": "click"}}), owned: true},
		{name: "threads.add_structured_input", params: thread(object{"item_id": "{item}", "input": object{}}), owned: true},
		{name: "threads.get_by_id", params: thread(nil), owned: true},
		{name: "threads.list", params: func(uuid.UUID, uuid.UUID) object {
			return object{"limit": 1, "order": "asc", "after": strings.Repeat("x", 32)}
		}, optional: []string{"limit", "order", "after"}},
		{
			name: "items.list", params: thread(object{"limit": 1, "order": "asc", "after": "{item}"}),
			optional: []string{"limit", "order", "after"}, owned: true,
		},
		{name: "items.feedback", params: thread(object{"item_ids": []any{}, "kind": "positive"}), owned: true},
		{name: "threads.update", params: thread(object{"title": "A title"}), owned: true},
		{name: "threads.delete", params: thread(nil), owned: true},
		{name: "attachments.create", params: func(uuid.UUID, uuid.UUID) object {
			return object{"name": "a.txt", "size": 1, "mime_type": "text/plain"}
		}},
		{name: "attachments.delete", params: func(uuid.UUID, uuid.UUID) object { return object{"attachment_id": uuid.New()} }},
		{name: "input.transcribe", params: func(uuid.UUID, uuid.UUID) object {
			return object{"audio_base64": "", "mime_type": "audio/webm"}
		}},
		{name: "threads.sync_custom_action", params: thread(object{"action": object{"type": "click"}}), owned: true},
	}
}

// wantFailure checks a failure, and that its message names what is wrong.
func wantFailure(t *testing.T, what string, got harness.Answer, status int, code, names string) {
	t.Helper()
	if got.Status != status || got.Code() != code || !strings.Contains(got.Message(), names) {
		t.Errorf("%s: %d %s, want %d %s that names %q", what, got.Status, got.Body, status, code, names)
	}
}

// A request without a required field, or with a field of a wrong type, is refused
// with the field's name, and nothing is stored.
func TestInvalidFields(t *testing.T) {
	t.Parallel()
	server := harness.Start(t, harness.Options{Env: map[string]string{"RATE_LIMIT_PER_MINUTE": "0"}})
	user := server.User(t)
	thread, made := createThread(t, user, "Hello")
	message := made[0].ID
	for _, k := range kinds() {
		whole := k.params(thread, message)
		for name := range whole {
			if !slices.Contains(k.optional, name) {
				params := maps.Clone(whole)
				delete(params, name)
				wantFailure(t, k.name+" without "+name, post(t, user, request(k.name, params)), 400, "INVALID_REQUEST", "params."+name)
			}
			if slices.Contains(k.words, name) {
				continue
			}
			params := maps.Clone(whole)
			params[name] = true
			wantFailure(t, k.name+" with a wrong "+name, post(t, user, request(k.name, params)), 400, "INVALID_REQUEST", "params."+name)
		}
		for what, body := range map[string]any{
			"no params": object{"type": k.name}, "params null": object{"type": k.name, "params": nil},
			"params a list": object{"type": k.name, "params": []any{}},
		} {
			wantFailure(t, k.name+" "+what, post(t, user, body), 400, "INVALID_REQUEST", "params")
		}
		whole["thread_id"] = "not-a-uuid"
		if k.owned {
			wantFailure(t, k.name+" bad id", post(t, user, request(k.name, whole)), 400, "INVALID_REQUEST", "params.thread_id")
		}
	}
	for what, body := range map[string]any{
		"no type": object{"params": object{}}, "an unknown type": request("threads.nothing", object{}),
		"a number for a type": object{"type": 1, "params": object{}},
	} {
		wantFailure(t, what, post(t, user, body), 400, "INVALID_REQUEST", "type must be one of")
	}
	if left := items(t, user, thread); len(left) != len(made) || user.Sessions().Meta.Total != 1 {
		t.Errorf("refused requests left %d items of %d, and %d threads", len(left), len(made), user.Sessions().Meta.Total)
	}
	if asked := server.Upstream.Count(); asked != 1 {
		t.Errorf("the upstream got %d requests, want once", asked)
	}
}

// An invalid part of a message or an invalid tool is refused by name.
func TestInvalidMessages(t *testing.T) {
	t.Parallel()
	server := harness.Start(t, harness.Options{Env: map[string]string{"RATE_LIMIT_PER_MINUTE": "0", "MAX_MESSAGE_CHARS": "20"}})
	user := server.User(t)
	content := func(parts ...any) object {
		message := input("")
		message["content"] = append([]any{}, parts...)
		return object{"input": message}
	}
	with := func(field string, value any) object {
		message := input("Hello")
		message[field] = value
		return object{"input": message}
	}
	tag := object{"type": "input_tag", "id": "7", "text": "Ada", "data": object{}}
	for _, c := range []struct {
		name        string
		params      object
		code, names string
	}{
		{"no parts", content(), "EMPTY_MESSAGE", "empty"},
		{"blank", object{"input": input(" \n ")}, "EMPTY_MESSAGE", "empty"},
		{"too long", object{"input": input(strings.Repeat("é", 21))}, "MESSAGE_TOO_LONG", "20 characters"},
		{"too long with a tag", content(tag, object{"type": "input_text", "text": strings.Repeat("a", 18)}), "MESSAGE_TOO_LONG", "20"},
		{"NUL", object{"input": input("a\x00b")}, "INVALID_REQUEST", "NUL"},
		{"NUL in a tag's data", content(object{"type": "input_tag", "id": "7", "text": "A", "data": object{"a": "\x00"}}), "INVALID_REQUEST", "NUL"},
		{"unknown part", content(object{"type": "input_image", "text": "a"}), "INVALID_REQUEST", "params.input.content[0].type must be one of"},
		{"part without text", content(object{"type": "input_text"}), "INVALID_REQUEST", "params.input.content[0].text"},
		{"tag without data", content(object{"type": "input_tag", "id": "7", "text": "Ada"}), "INVALID_REQUEST", "params.input.content[0].data"},
		{"no attachments", with("attachments", nil), "INVALID_REQUEST", "params.input.attachments"},
		{"model not offered", with("inference_options", object{"model": "another/model"}), "INVALID_REQUEST", "model"},
		{"tool not offered", with("inference_options", object{"tool_choice": object{"id": "nothing"}}), "INVALID_REQUEST", "nothing"},
		{"long quote", with("quoted_text", strings.Repeat("q", 10_001)), "INVALID_REQUEST", "params.input.quoted_text"},
	} {
		wantFailure(t, c.name, post(t, user, request("threads.create", c.params)), 400, c.code, c.names)
	}
	for name, tools := range map[string]any{
		"no list": "tool", "bad name": []any{object{"name": "a b"}}, "no name": []any{object{}},
		"parameters a list": []any{object{"name": "a", "parameters": []any{}}},
		"two of one name":   []any{object{"name": "twice"}, object{"name": "twice"}},
	} {
		body := request("threads.create", object{"input": input("Hello")})
		body["metadata"] = object{"client_tools": tools}
		wantFailure(t, "tools: "+name, post(t, user, body), 400, "INVALID_REQUEST", "")
	}
	if total := user.Sessions().Meta.Total; total != 0 || server.Upstream.Count() != 0 {
		t.Errorf("refused messages made %d threads and asked the upstream %d times", total, server.Upstream.Count())
	}
}

// Ids of another user are refused, unknown ids are not found, and nothing
// changes.
func TestForeignAndUnknownIDs(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		server := harness.Start(t, harness.Options{
			Database: database, Env: map[string]string{"RATE_LIMIT_PER_MINUTE": "0"},
		})
		alice, bob := server.User(t), server.User(t)
		thread, made := createThread(t, alice, "Hello")
		before := fmt.Sprint(restLines(t, alice, thread), items(t, alice, thread))
		for _, k := range kinds() {
			if !k.owned {
				continue
			}
			wantFailure(t, k.name, post(t, bob, request(k.name, k.params(thread, made[0].ID))), 403, "FORBIDDEN", "another user")
			wantFailure(t, k.name, post(t, alice, request(k.name, k.params(uuid.New(), made[0].ID))), 404, "SESSION_NOT_FOUND", "")
		}
		for name, params := range map[string]object{
			"threads.retry_after_item": {"thread_id": thread, "item_id": uuid.New()},
			"items.list":               {"thread_id": thread, "after": uuid.New()},
			"items.feedback":           {"thread_id": thread, "item_ids": []any{uuid.New()}, "kind": "positive"},
		} {
			wantFailure(t, name, post(t, alice, request(name, params)), 404, "ITEM_NOT_FOUND", "")
		}
		wantFailure(t, "retry after an answer", post(t, alice, request("threads.retry_after_item",
			object{"thread_id": thread, "item_id": made[1].ID})), 404, "ITEM_NOT_FOUND", "")
		wantFailure(t, "output without a pending call", post(t, alice, request("threads.add_client_tool_output",
			object{"thread_id": thread, "result": 1})), 400, "INVALID_REQUEST", "waits")
		wantFailure(t, "null as an output without a pending call", post(t, alice, request("threads.add_client_tool_output",
			object{"thread_id": thread, "result": nil})), 400, "INVALID_REQUEST", "waits")
		if after := fmt.Sprint(restLines(t, alice, thread), items(t, alice, thread)); after != before {
			t.Errorf("the thread was\n%s\nand is\n%s", before, after)
		}
	})
}

// Unsupported requests have their own error code.
func TestNotSupported(t *testing.T) {
	t.Parallel()
	server := harness.Start(t, harness.Options{})
	user := server.User(t)
	thread, made := createThread(t, user, "Hello")
	for name, params := range map[string]object{
		"input.transcribe":             {"audio_base64": "AAAA", "mime_type": "audio/webm"},
		"threads.sync_custom_action":   {"thread_id": thread, "action": object{"type": "click", "payload": nil}},
		"threads.add_structured_input": {"thread_id": thread, "item_id": made[1].ID, "input": object{"answers": object{}}},
		"attachments.create":           {"name": "a.txt", "size": 1, "mime_type": "text/plain"},
	} {
		wantFailure(t, name, post(t, user, request(name, params)), http.StatusNotFound, "NOT_SUPPORTED", "")
	}
	events := stream(t, user, request("threads.custom_action", object{"thread_id": thread, "action": object{"type": "click"}}))
	if len(events) != 2 || events[1].Type != "error" || events[1].Code != "custom" {
		t.Errorf("a custom action was answered with %+v", events)
	}
}

// Bodies that are too large or too deeply nested are refused quickly.
func TestHugeBodies(t *testing.T) {
	t.Parallel()
	server := harness.Start(t, harness.Options{})
	user := server.User(t)
	large, err := json.Marshal(request("threads.create", object{"input": input(strings.Repeat("a", 10<<20))}))
	if err != nil {
		t.Fatal(err)
	}
	wantFailure(t, "10 MB", post(t, user, string(large)), 413, "REQUEST_TOO_LARGE", "")
	deep := `{"type":"threads.add_client_tool_output","params":{"thread_id":"` + uuid.NewString() + `","result":` +
		strings.Repeat(`[`, 9000) + strings.Repeat(`]`, 9000) + `}}`
	wantFailure(t, "a deep result", post(t, user, deep), 400, "INVALID_REQUEST", "200 levels")
	deep = strings.ReplaceAll(deep, strings.Repeat("[", 9000), strings.Repeat("[", 20_000))
	deep = strings.ReplaceAll(deep, strings.Repeat("]", 9000), strings.Repeat("]", 20_000))
	wantFailure(t, "a deeper result", post(t, user, deep), 400, "INVALID_REQUEST", "")
	if total := user.Sessions().Meta.Total; total != 0 {
		t.Errorf("they created %d threads", total)
	}
}

// Threads count against MAX_SESSIONS_PER_USER, as in the REST API.
func TestThreadLimit(t *testing.T) {
	t.Parallel()
	server := harness.Start(t, harness.Options{Env: map[string]string{"MAX_SESSIONS_PER_USER": "2"}})
	user := server.User(t)
	user.CreateSession()
	createThread(t, user, "Hello")
	wantFailure(t, "a third", post(t, user, request("threads.create", object{"input": input("Hello")})), 429, "SESSION_LIMIT", "2 sessions")
}

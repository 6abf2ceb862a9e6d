package contract_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// operationsWithBody returns the operations that have a request body.
func operationsWithBody(user *harness.User) []operation {
	session := user.CreateSession()
	var list []operation
	for _, o := range operations(session) {
		if o.method == http.MethodPost {
			list = append(list, o)
		}
	}
	return list
}

// TestBodies tests how each operation reads its body.
func TestBodies(t *testing.T) {
	t.Parallel()
	suite(t, nil, map[string]check{
		"bad JSON":         badJSON,
		"run body":         runBody,
		"value not echoed": valueNotEchoed,
		"optional body":    optionalBody,
		"content type":     contentType,
		"too large":        tooLarge,
	})
}

// badJSON checks that every operation with a body refuses what is not one JSON
// object.
func badJSON(t *testing.T, server *harness.Server) {
	bodies := map[string]string{
		"cut":           `{"message":`,
		"a word":        `hello`,
		"white space":   " \n ",
		"single quotes": `{'message':1}`,
		"comment":       `{} // nothing`,
		"trailing text": `{} x`,
		"two values":    `{}{}`,
		"trailing line": "{}\n{}",
		"null":          `null`,
		"array":         `[]`,
		"string":        `"text"`,
		"number":        `1`,
		"true":          `true`,
		"deep":          strings.Repeat("[", 100_000),
		"deep object":   strings.Repeat(`{"a":`, 50_000) + "1" + strings.Repeat("}", 50_000),
		"bad UTF-8":     "{\"\xff\xfe\":1}",
		"mark":          "\ufeff{}",
		"form":          "message=hello",
	}
	alice := server.User(t)
	for _, o := range operationsWithBody(alice) {
		for name, body := range bodies {
			t.Run(o.id+"/"+name, func(t *testing.T) {
				request := harness.Request{Method: o.method, Path: o.path, Body: strings.NewReader(body)}
				want(t, server.UserNamed(t, alice.Sub).Do(request), 400, "INVALID_REQUEST")
			})
		}
	}
	if total := alice.Sessions().Meta.Total; total != 1 {
		t.Errorf("refused requests made %d sessions", total-1)
	}
}

// runBody checks that the message of a failure names the wrong field.
func runBody(t *testing.T, server *harness.Server) {
	cases := []struct{ name, body, field string }{
		{"no body", ``, ""},
		{"no message", `{}`, "message"},
		{"message null", `{"message":null}`, "message"},
		{"message text", `{"message":"Hello"}`, "message"},
		{"message array", `{"message":[]}`, "message"},
		{"no role", `{"message":{"content":[]}}`, "message.role"},
		{"no content", `{"message":{"role":"user"}}`, "message.content"},
		{"role assistant", `{"message":{"role":"assistant","content":[{"type":"input_text","text":"a"}]}}`, "message.role"},
		{"role system", `{"message":{"role":"system","content":[{"type":"input_text","text":"a"}]}}`, "message.role"},
		{"role number", `{"message":{"role":1,"content":[]}}`, "message.role"},
		{"content text", `{"message":{"role":"user","content":"Hello"}}`, "message.content"},
		{"content null", `{"message":{"role":"user","content":null}}`, "message.content"},
		{"part text", `{"message":{"role":"user","content":["a"]}}`, "message.content[0]"},
		{"part null", `{"message":{"role":"user","content":[null]}}`, "message.content[0]"},
		{"no type", `{"message":{"role":"user","content":[{"text":"a"}]}}`, "message.content[0].type"},
		{"no text", `{"message":{"role":"user","content":[{"type":"input_text"}]}}`, "message.content[0].text"},
		{"other type", `{"message":{"role":"user","content":[{"type":"output_text","text":"a"}]}}`, "message.content[0].type"},
		{"text number", `{"message":{"role":"user","content":[{"type":"input_text","text":1}]}}`, "message.content[0].text"},
		{"text null", `{"message":{"role":"user","content":[{"type":"input_text","text":null}]}}`, "message.content[0].text"},
		{
			"second part", `{"message":{"role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_text"}]}}`,
			"message.content[1].text",
		},
		{"unknown field", `{"message":{"role":"user","content":[{"type":"input_text","text":"a"}]},"model":"x"}`, "model"},
		{
			"unknown field of message",
			`{"message":{"role":"user","content":[{"type":"input_text","text":"a"}],"system":"x"}}`, "message.system",
		},
		{
			"unknown field of part",
			`{"message":{"role":"user","content":[{"type":"input_text","text":"a","secret":"x"}]}}`,
			"message.content[0].secret",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			alice := server.User(t)
			session := alice.CreateSession()
			answer := alice.Do(runRequest(session, c.body))
			want(t, answer, 400, "INVALID_REQUEST")
			wantNamed(t, answer, c.field)
			if messages := alice.Session(session).Messages; len(messages) != 0 {
				t.Errorf("a refused message is in the history: %+v", messages)
			}
		})
	}
}

// valueNotEchoed checks that a failure names the field and does not repeat its
// value.
func valueNotEchoed(t *testing.T, server *harness.Server) {
	const value = "hunter2-hunter2-hunter2"
	bodies := []string{
		`{"message":"` + value + `"}`,
		`{"message":{"role":"` + value + `","content":[]}}`,
		`{"message":{"role":"user","content":[{"type":"` + value + `","text":"a"}]}}`,
		`{"message":{"role":"user","content":"` + value + `"}}`,
		`{"message":{"role":"user","content":[{"type":"input_text","text":"` + value + `","x":"` + value + `"}]}}`,
		value,
	}
	alice := server.User(t)
	session := alice.CreateSession()
	requests := []harness.Request{
		{Method: http.MethodGet, Path: harness.SessionsPath + "/" + value},
		{Method: http.MethodGet, Path: harness.SessionsPath + "?limit=" + value},
		{Method: http.MethodGet, Path: harness.SessionsPath + "?after=" + value},
	}
	for _, body := range bodies {
		requests = append(requests, runRequest(session, body))
	}
	for _, request := range requests {
		answer := alice.Do(request)
		want(t, answer, 400, "INVALID_REQUEST")
		if strings.Contains(string(answer.Body), value) {
			t.Errorf("%s %s: the failure repeats the value: %s", request.Method, request.Path, answer.Body)
		}
	}
}

// optionalBody checks that creating a session or a thread needs no body.
func optionalBody(t *testing.T, server *harness.Server) {
	alice := server.User(t)
	for _, o := range operationsWithBody(alice) {
		if o.id == "createRun" {
			continue
		}
		for name, request := range map[string]harness.Request{
			"none":             {},
			"empty":            {Body: strings.NewReader("")},
			"object":           {Body: strings.NewReader("{}")},
			"spaced object":    {Body: strings.NewReader(" {\n} \n")},
			"charset":          {Body: strings.NewReader("{}"), Header: header("Content-Type", "application/json; charset=utf-8")},
			"upper case":       {Body: strings.NewReader("{}"), Header: header("Content-Type", `Application/JSON; Charset="UTF-8"`)},
			"chunked object":   {Body: io.MultiReader(strings.NewReader("{}"))},
			"chunked, nothing": {Body: io.MultiReader(strings.NewReader(""))},
			"type, no body":    {Header: header("Content-Type", "text/plain")},
		} {
			t.Run(o.id+"/"+name, func(t *testing.T) {
				request.Method, request.Path = o.method, o.path
				wantOK(t, server.UserNamed(t, alice.Sub).Do(request))
			})
		}
		for name, body := range map[string]string{"title": `{"title":"x"}`, "user_id": `{"user_id":"bob"}`} {
			t.Run(o.id+"/unknown field "+name, func(t *testing.T) {
				request := harness.Request{Method: o.method, Path: o.path, Body: strings.NewReader(body)}
				answer := server.UserNamed(t, alice.Sub).Do(request)
				want(t, answer, 400, "INVALID_REQUEST")
				wantNamed(t, answer, name)
			})
		}
	}
}

// contentType checks that a body must have the Content-Type application/json.
func contentType(t *testing.T, server *harness.Server) {
	types := []string{
		"text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
		"application/jsonp", "text/json", "application/json+x", "json", "application/", ";", "*/*",
		"application/json; charset=utf-16", "application/json;charset=iso-8859-1", `application/json; charset="UTF-32"`, "application/json; charset=",
	}
	alice := server.User(t)
	for _, o := range operationsWithBody(alice) {
		for _, media := range types {
			t.Run(o.id+"/"+strings.ReplaceAll(media, "/", "_"), func(t *testing.T) {
				request := o.request()
				request.Header = header("Content-Type", media)
				want(t, server.UserNamed(t, alice.Sub).Do(request), 415, "UNSUPPORTED_MEDIA_TYPE")
			})
		}
		t.Run(o.id+"/none", func(t *testing.T) {
			request := o.request()
			request.Header = http.Header{"Content-Type": nil}
			want(t, server.UserNamed(t, alice.Sub).Do(request), 415, "UNSUPPORTED_MEDIA_TYPE")
		})
	}
}

// tooLarge checks that a body above the size limit is refused, with or without
// a Content-Length, and only after the token was checked.
func tooLarge(t *testing.T, server *harness.Server) {
	const size = 8 << 20
	large := func() io.Reader { return strings.NewReader(strings.Repeat(" ", size)) }
	alice := server.User(t)
	for _, o := range operationsWithBody(alice) {
		t.Run(o.id, func(t *testing.T) {
			alice := server.UserNamed(t, alice.Sub)
			known := harness.Request{Method: o.method, Path: o.path, Body: large()}
			want(t, alice.Do(known), 413, "REQUEST_TOO_LARGE")
			chunked := harness.Request{Method: o.method, Path: o.path, Body: io.MultiReader(large())}
			want(t, alice.Do(chunked), 413, "REQUEST_TOO_LARGE")
			unauthenticated := harness.Request{
				Method: o.method, Path: o.path, Body: large(), Header: header("Authorization", "Bearer x.y.z"),
			}
			want(t, alice.Do(unauthenticated), 401, "UNAUTHORIZED")
		})
	}
}

package openrouter_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// answers has a status and a body for each path.
type answers map[string]struct {
	status int
	body   string
}

func (a answers) serve(t *testing.T) http.HandlerFunc {
	t.Helper()
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+key || r.Method != http.MethodGet {
			t.Errorf("%s %s without the key", r.Method, r.URL)
		}
		answer, ok := a[r.URL.Path]
		if !ok {
			answer.status, answer.body = http.StatusNotFound, "404 page not found zebra"
		}
		w.WriteHeader(answer.status)
		_, _ = w.Write([]byte(answer.body))
	}
}

func TestCheckKey(t *testing.T) {
	t.Parallel()
	const (
		open    = `{"data":{"label":"sk-or-v1-zebra","limit":null,"usage":3.2,"limit_remaining":null,"is_free_tier":false,"rate_limit":{"requests":-1,"interval":"10s"}}}`
		left    = `{"data":{"label":"zebra","limit":10,"usage":3.2,"limit_remaining":6.8}}`
		spent   = `{"data":{"label":"zebra","limit":10,"usage":10.01,"limit_remaining":-0.01}}`
		refused = `{"error":{"message":"zebra: User not found.","code":401}}`
		models  = `{"object":"list","data":[{"id":"gemma-3-270m","object":"model","owned_by":"me"}]}`
	)
	for _, want := range []struct {
		name    string
		answers answers
		kind    chat.UpstreamKind
		status  int
	}{
		{"OpenRouter, no limit", answers{"/v1/key": {200, open}}, "", 0},
		{"OpenRouter, within its limit", answers{"/v1/key": {200, left}}, "", 0},
		{"OpenRouter, limit used up", answers{"/v1/key": {200, spent}}, chat.UpstreamPayment, 0},
		{"OpenRouter, wrong key", answers{"/v1/key": {401, refused}}, chat.UpstreamCredentials, 401},
		{"OpenRouter, no credit", answers{"/v1/key": {402, refused}}, chat.UpstreamPayment, 402},
		{"OpenRouter, down", answers{"/v1/key": {503, "zebra"}}, chat.UpstreamBusy, 503},
		{"another, good", answers{"/v1/models": {200, models}}, "", 0},
		{"another, method refused", answers{"/v1/key": {405, ""}, "/v1/models": {200, models}}, "", 0},
		{"another, wrong key", answers{"/v1/models": {401, refused}}, chat.UpstreamCredentials, 401},
		{"another, forbidden", answers{"/v1/models": {403, refused}}, chat.UpstreamCredentials, 403},
		{"no such API", answers{}, chat.UpstreamBadRequest, 404},
		{"a web site", answers{"/v1/key": {200, "<html>zebra"}}, chat.UpstreamBroken, 0},
		{"nothing said", answers{"/v1/key": {200, ""}}, chat.UpstreamBroken, 0},
	} {
		t.Run(want.name, func(t *testing.T) {
			t.Parallel()
			server := upstream(t, want.answers.serve(t))
			_, err := client(t, server.URL+"/v1").CheckKey(t.Context())
			if want.kind != "" {
				checkFailure(t, err, want.kind, want.status)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCheckKeyUnreachable(t *testing.T) {
	t.Parallel()
	server := upstream(t, nil)
	server.Close()
	_, err := client(t, server.URL).CheckKey(t.Context())
	checkFailure(t, err, chat.UpstreamUnreachable, 0)
	_, err = client(t, server.URL).Models(t.Context())
	checkFailure(t, err, chat.UpstreamUnreachable, 0)
}

func TestCheckKeyTimeoutAndCancel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, end := inMemory(t, func(_ http.ResponseWriter, r *http.Request) { <-gone(r) }, timeouts)
		defer end()
		_, err := c.CheckKey(t.Context())
		checkFailure(t, err, chat.UpstreamTimeout, 0)
		ctx, cancel := context.WithTimeout(t.Context(), firstByte/2)
		defer cancel()
		if _, err := c.CheckKey(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want the context's", err)
		}
	})
}

// TestKeyState checks that the credits are known if upstream returns them.
func TestKeyState(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"data":{"limit":10,"limit_remaining":6.8}}`:     "told, 6.8 of 10",
		`{"data":{"limit":null,"limit_remaining":null}}`:  "told, no limit",
		`{"data":{"limit":"ten","limit_remaining":true}}`: "nothing told",
	} {
		server := upstream(t, answers{"/v1/key": {200, body}}.serve(t))
		state, err := client(t, server.URL+"/v1").CheckKey(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got := "nothing told"
		if state.Known {
			got = "told, no limit"
		}
		if state.Limit != nil && state.Remaining != nil {
			got = fmt.Sprintf("told, %g of %g", *state.Remaining, *state.Limit)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
}

func TestModels(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		answers answers
		models  []string
		fails   bool
	}{
		"a list":       {answers{"/v1/models": {200, `{"data":[{"id":"a/b"},{"id":"c:free"},{}]}`}}, []string{"a/b", "c:free"}, false},
		"none there":   {answers{"/v1/models": {200, `{"data":[]}`}}, []string{}, false},
		"no such path": {answers{}, nil, false},
		"no list":      {answers{"/v1/models": {200, `{"models":"zebra"}`}}, []string{}, false},
		"cut":          {answers{"/v1/models": {200, `{"data":[{"id":`}}, nil, true},
		"down":         {answers{"/v1/models": {500, "zebra"}}, nil, true},
	} {
		server := upstream(t, want.answers.serve(t))
		models, err := client(t, server.URL+"/v1").Models(t.Context())
		if (err != nil) != want.fails || !slices.Equal(models, want.models) || (models == nil) != (want.models == nil) {
			t.Errorf("%s: %q (%v), want %q", name, models, err, want.models)
		}
	}
}

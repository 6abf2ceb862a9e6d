package demo_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/demo"
)

func TestStreamBeginsAsOpenRoutersDoes(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	got := ask(t, server, user("hello there"))
	if got.status != http.StatusOK || got.header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("status %d, Content-Type %q", got.status, got.header.Get("Content-Type"))
	}
	if len(got.comments) == 0 || got.comments[0] != ": OPENROUTER PROCESSING" {
		t.Errorf("comments are %q", got.comments)
	}
	if id := got.events[0].ID; !strings.HasPrefix(id, "gen-") || id != got.header.Get("X-Generation-Id") {
		t.Errorf("id %q, X-Generation-Id %q", id, got.header.Get("X-Generation-Id"))
	}
}

func TestEveryEventHasOpenRoutersFields(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	got := ask(t, server, user("hello there"))
	for i, e := range got.events {
		if e.ID != got.events[0].ID || e.Object != "chat.completion.chunk" || e.Model != demo.Model || e.Provider == "" {
			t.Errorf("event %d: %+v", i, e)
		}
		if age := time.Since(time.Unix(e.Created, 0)); age < 0 || age > time.Minute {
			t.Errorf("event %d was created %s ago", i, age)
		}
		if len(e.Choices) != 1 || e.Choices[0].Delta.Role != "assistant" {
			t.Errorf("event %d: choices %+v", i, e.Choices)
		}
	}
}

func TestStreamEndsWithReasonAndUsage(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	got := ask(t, server, said{"system", "Be brief."}, user("hello there"))
	if !got.done || got.err != nil {
		t.Errorf("done %v, error %v", got.done, got.err)
	}
	finish, last := got.events[len(got.events)-2], got.events[len(got.events)-1]
	if reason := finish.Choices[0].FinishReason; reason == nil || *reason != "stop" {
		t.Errorf("the last event but one has no finish reason: %+v", finish)
	}
	cost := last.Usage
	if cost == nil || cost.Cost == nil || *cost.Cost != 0 {
		t.Fatalf("the last event has no usage with cost 0: %+v", last)
	}
	if words := len(got.events) - 2; cost.Prompt != 4 || cost.Completion != words || cost.Total != 4+words {
		t.Errorf("usage %+v, want 4 prompt tokens and %d completion tokens", *cost, words)
	}
}

func TestWrongKeyIsRefused(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	for _, key := range []string{"", "sk-or-wrong", server.Key() + "x", server.Key()[1:]} {
		response := post(t.Context(), t, server, key, body(t, user("hello")))
		if response.status != http.StatusUnauthorized {
			t.Errorf("key %q: status %d", key, response.status)
		}
		readFailure(t, response)
	}
}

func TestEachStartHasItsOwnKey(t *testing.T) {
	t.Parallel()
	one, other := start(t, demo.Options{Pace: demo.NoPace}), start(t, demo.Options{Pace: demo.NoPace})
	if one.Key() == other.Key() {
		t.Error("two servers have the same key")
	}
}

func TestBadRequestsAreRefused(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	tests := map[string]struct {
		body   string
		status int
	}{
		"not JSON":    {`{"messages"`, http.StatusBadRequest},
		"no messages": {`{"stream": true, "messages": []}`, http.StatusBadRequest},
		"no stream":   {`{"messages": [{"role": "user", "content": "hello"}]}`, http.StatusBadRequest},
		"bad content": {`{"stream": true, "messages": [{"role": "user", "content": 5}]}`, http.StatusBadRequest},
		"too large":   {`{"x": "` + strings.Repeat("x", 33<<20) + `"}`, http.StatusRequestEntityTooLarge},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			response := post(t.Context(), t, server, server.Key(), test.body)
			if response.status != test.status {
				t.Errorf("status %d, want %d", response.status, test.status)
			}
			readFailure(t, response)
		})
	}
}

func TestContentMayBeParts(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	parts := []map[string]string{{"type": "text", "text": "2 +"}, {"type": "text", "text": " 3"}}
	if got := reply(t, server, said{"assistant", nil}, said{"user", parts}); got != "`2 + 3` = 5" {
		t.Errorf("answer %q", got)
	}
}

func TestKeyTellsItsState(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	response := get(t, server, "/key", server.Key())
	var state struct {
		Data *struct {
			Label          string   `json:"label"`
			Usage          *float64 `json:"usage"`
			LimitRemaining *float64 `json:"limit_remaining"`
		} `json:"data"`
	}
	if err := json.NewDecoder(response.body).Decode(&state); err != nil {
		t.Fatal(err)
	}
	if response.status != http.StatusOK || state.Data == nil || state.Data.Label == "" || state.Data.Usage == nil {
		t.Errorf("status %d, state %+v", response.status, state)
	}
	if state.Data.LimitRemaining != nil {
		t.Error("the demo's key has a limit")
	}
	refused := get(t, server, "/key", "sk-or-wrong")
	if refused.status != http.StatusUnauthorized {
		t.Errorf("a wrong key: status %d", refused.status)
	}
	readFailure(t, refused)
}

func TestModelsListsTheDemo(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	var models struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if err := json.NewDecoder(get(t, server, "/models", "").body).Decode(&models); err != nil {
		t.Fatal(err)
	}
	if len(models.Data) != 1 || models.Data[0].ID != demo.Model {
		t.Errorf("models %+v", models)
	}
}

func TestUnknownPathIsRefused(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	response := get(t, server, "/nothing", server.Key())
	if response.status != http.StatusNotFound {
		t.Errorf("status %d", response.status)
	}
	readFailure(t, response)
}

func TestWordsComeAtThePace(t *testing.T) {
	t.Parallel()
	const pace = 10 * time.Millisecond
	server := start(t, demo.Options{Pace: pace})
	begun := time.Now()
	got := ask(t, server, user("/long 30"))
	if took := time.Since(begun); took < 30*pace {
		t.Errorf("30 words took %s, less than %s", took, 30*pace)
	}
	if len(got.events) != 32 {
		t.Errorf("%d events for 30 words", len(got.events))
	}
}

func TestThePaceIsReadableByDefault(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{})
	begun := time.Now()
	ask(t, server, user("/long 5"))
	if took := time.Since(begun); took < 5*demo.ReadablePace {
		t.Errorf("5 words took %s, less than %s", took, 5*demo.ReadablePace)
	}
}

// waitForStreams polls until the server writes n answers.
func waitForStreams(t *testing.T, server *demo.Server, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for server.Streams() != n {
		select {
		case <-ctx.Done():
			t.Fatalf("%d answers are being written, want %d", server.Streams(), n)
		case <-time.After(time.Millisecond):
		}
	}
}

func TestStopsWhenTheClientLeaves(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		pace    time.Duration
		message string
	}{
		"between words":           {time.Hour, "hello"},
		"before a slow beginning": {time.Hour, "/slow"},
		"in silence":              {demo.NoPace, "/hang"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t, demo.Options{Pace: test.pace})
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			response := post(ctx, t, server, server.Key(), body(t, user(test.message)))
			first := make([]byte, 1)
			if _, err := response.body.Read(first); err != nil {
				t.Fatal(err)
			}
			waitForStreams(t, server, 1)
			leave()
			waitForStreams(t, server, 0)
		})
	}
}

func TestCloseEndsAnswers(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	response := post(t.Context(), t, server, server.Key(), body(t, user("/hang")))
	first := make([]byte, 1)
	if _, err := response.body.Read(first); err != nil {
		t.Fatal(err)
	}
	server.Close()
	if server.Streams() != 0 {
		t.Error("Close returned while an answer was being written")
	}
	server.Close()
}

func TestAnswersGoOnWhenTheContextEnds(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	server, err := demo.Start(ctx, demo.Options{Pace: demo.NoPace})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	stop()
	if got := ask(t, server, user("/long 20")); !got.done {
		t.Errorf("the answer broke off: %v", got.err)
	}
}

func TestNothingAnswersAfterClose(t *testing.T) {
	t.Parallel()
	server := start(t, demo.Options{Pace: demo.NoPace})
	server.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL()+"/models", nil)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := http.DefaultClient.Do(request); err == nil {
		_ = again.Body.Close()
		t.Error("the server still answers")
	}
}

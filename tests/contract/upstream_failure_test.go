package contract_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/client"
	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// The suite tests/streams tests the effect of each fault on a run. These tests
// check the answer to each kind of failure.

const rawError = `{"error":{"code":%d,"message":"` + harness.UpstreamSecret + `","metadata":{"raw":"` + harness.UpstreamSecret + `"}}}`

// TestUpstreamFailures tests the answers to failures of the model provider.
func TestUpstreamFailures(t *testing.T) {
	t.Parallel()
	suite(t, nil, map[string]check{
		"upstream refuses": upstreamRefuses,
		"upstream breaks":  upstreamBreaks,
	})
}

// upstreamRefuses checks that a failure before the first byte is answered with
// 502 and not with a stream, and that the user's message is stored.
func upstreamRefuses(t *testing.T, server *harness.Server) {
	cases := []struct {
		name       string
		script     harness.Script
		retryAfter string
	}{
		{"bad key", harness.Script{harness.Refuse(401, -1, fmt.Sprintf(rawError, 401))}, ""},
		{"busy", harness.Script{harness.Refuse(429, 30, fmt.Sprintf(rawError, 429))}, "30"},
		{"failed", harness.Script{harness.Refuse(500, -1, fmt.Sprintf(rawError, 500))}, ""},
		{"error with status 200", harness.Script{harness.Refuse(200, -1, fmt.Sprintf(rawError, 502))}, ""},
		{"cut", harness.Script{harness.CloseConnection()}, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			alice := server.User(t)
			session := alice.CreateSession()
			question := "Fail: " + c.name
			server.Upstream.Answer(question, c.script)
			answer := alice.Do(runRequest(session, messageJSON(t, question)))
			want(t, answer, 502, "UPSTREAM_ERROR")
			if _, err := uuid.Parse(answer.Header.Get("X-Run-Id")); err != nil {
				t.Errorf("X-Run-Id is %q", answer.Header.Get("X-Run-Id"))
			}
			if got := answer.Header.Get("Retry-After"); got != c.retryAfter {
				t.Errorf("Retry-After is %q, want %q", got, c.retryAfter)
			}
			checkStored(t, alice.Session(session).Messages, question, "")
			alice.Say(session, "Hello") // The thread is free.
		})
	}
}

// checkStored checks that the history has the question, and the answer unless it
// is "".
func checkStored(t *testing.T, messages []client.Message, question, answer string) {
	t.Helper()
	want := []string{question}
	if answer != "" {
		want = append(want, answer)
	}
	var got []string
	for _, message := range messages {
		part, err := message.Content[0].ValueByDiscriminator()
		if err != nil {
			t.Fatal(err)
		}
		switch part := part.(type) {
		case client.InputTextContent:
			got = append(got, part.Text)
		case client.OutputTextContent:
			got = append(got, part.Text)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the history has %q, want %q", got, want)
	}
}

// TestUpstreamUnreachable tests an OPENROUTER_BASE_URL at which no server
// listens.
func TestUpstreamUnreachable(t *testing.T) {
	t.Parallel()
	env := map[string]string{"OPENROUTER_BASE_URL": fmt.Sprintf("http://127.0.0.1:%d/api/v1", harness.FreePort(t))}
	onEach(t, env, func(t *testing.T, server *harness.Server) {
		alice := server.User(t)
		session := alice.CreateSession()
		want(t, alice.Do(runRequest(session, helloBody)), 502, "UPSTREAM_ERROR")
		checkStored(t, alice.Session(session).Messages, "Hello", "")
	})
}

// upstreamBreaks checks that a failure after the first byte is an event
// followed by [DONE], and that the text so far is stored.
func upstreamBreaks(t *testing.T, server *harness.Server) {
	broken := harness.Script{
		harness.Text("A part"), harness.Text(" of it"),
		harness.JSON(map[string]any{"error": map[string]any{"code": 502, "message": harness.UpstreamSecret}}),
	}
	alice := server.User(t)
	session := alice.CreateSession()
	server.Upstream.Answer("Break", broken)
	events := alice.Say(session, "Break")
	want := []string{
		itemDone, streamOptions, itemAdded, partAdded, textDelta, textDelta, partDone, itemDone, "error", threadUpdated, done,
	}
	if got := harness.Types(events); !slices.Equal(got, want) {
		t.Fatalf("the events are\n%q, want\n%q", got, want)
	}
	failed, ok := events[len(events)-3].Value.(client.ErrorEvent)
	if !ok || failed.Code != client.ErrorEventCodeStreamError || failed.Message == "" {
		t.Errorf("the error is %s", events[len(events)-3].Raw)
	}
	for _, event := range events {
		if strings.Contains(event.Raw, harness.UpstreamSecret) {
			t.Errorf("an event repeats what upstream said: %s", event.Raw)
		}
	}
	checkStored(t, alice.Session(session).Messages, "Break", "A part of it")
	alice.Say(session, "Hello") // The thread is free.
}

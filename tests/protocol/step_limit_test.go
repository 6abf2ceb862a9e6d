package protocol_test

import (
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// A model that keeps calling the page's tool gets twelve requests for a message,
// the last one without tools. The thread then accepts the next message.
func TestClientToolStepLimit(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		server := harness.Start(t, harness.Options{Database: database})
		user := server.User(t)
		offering := func(kind string, params object) object {
			body := request(kind, params)
			body["metadata"] = object{"client_tools": []any{object{"name": "pick"}}}
			return body
		}
		question := "Which colour? " + t.Name()
		server.Upstream.Answer(question, harness.ToolCallAnswer(harness.Call{ID: "call_1", Name: "pick", Arguments: "{}"}))
		thread := stream(t, user, offering("threads.create", object{"input": input(question)}))[0].Thread.ID
		output := object{"thread_id": thread, "result": "another"}
		for range 10 {
			events := stream(t, user, offering("threads.add_client_tool_output", output))
			if call := done(events, "client_tool_call"); call.Status != "pending" {
				t.Fatalf("the events are %+v", events)
			}
		}
		events := stream(t, user, offering("threads.add_client_tool_output", output))
		if last := events[len(events)-1]; last.Type != "error" {
			t.Errorf("the last stream ended with %+v", last)
		}
		requests := server.Upstream.Requests(question)
		if len(requests) != 12 {
			t.Fatalf("upstream was asked %d times", len(requests))
		}
		for n, sent := range requests {
			if none := string(sent.Body.ToolChoice) == `"none"`; len(sent.Body.Tools) != 1 || none != (n == 11) {
				t.Errorf("request %d has %d tools and the choice %s", n+1, len(sent.Body.Tools), sent.Body.ToolChoice)
			}
		}
		wantFailure(t, "an output without a pending call", post(t, user, offering("threads.add_client_tool_output", output)),
			400, "INVALID_REQUEST", "waits")

		next := "And now? " + t.Name()
		server.Upstream.Answer(next, answered("Green."))
		events = stream(t, user, offering("threads.add_user_message", object{"thread_id": thread, "input": input(next)}))
		if answer := done(events, "assistant_message"); answer.Content[0].Text != "Green." {
			t.Errorf("the events are %+v", events)
		}
	})
}

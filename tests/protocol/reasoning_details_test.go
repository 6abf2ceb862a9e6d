package protocol_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// details returns reasoning details in an unusual spelling, which must come back
// unchanged.
func details(data string) string {
	return `[{"type":"reasoning.encrypted","data":"` + data + `<>&\u0000\ud83d\u00e9","n":1.0}]`
}

// detailed sends reasoning details, then tool calls.
func detailed(data string, steps ...harness.Step) harness.Script {
	told := harness.Raw(`data: {"id":"gen-1","model":"test/model","choices":[{"index":0,"delta":{"reasoning_details":` +
		details(data) + `}}]}` + "\n\n")
	return slices.Concat(harness.Script{told}, steps, harness.Script{
		harness.Finish("tool_calls"), harness.Usage(9, 3, 0.1), harness.Done(),
	})
}

// Reasoning details are sent back unmodified with the calls of their step, also
// after a wait for the page's tool and a restart of the server. The next turn does
// not have them, since another model may answer it.
func TestReasoningDetailsSurviveAPause(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		server := harness.Start(t, harness.Options{Database: database})
		user := server.User(t)
		question := "Which colour? " + t.Name()
		call := harness.Call{ID: "call_2", Name: "pick", Arguments: "{}"}
		server.Upstream.Answer(question,
			detailed("one", harness.ToolCalls(harness.Call{ID: "call_1", Name: "unknown", Arguments: "{}"})),
			detailed("two", harness.Text("Pick one."), harness.ToolCalls(call)),
			answered("Green."))
		body := request("threads.create", object{"input": input(question)})
		body["metadata"] = object{"client_tools": []any{object{"name": "pick"}}}
		thread := stream(t, user, body)[0].Thread.ID
		server.Restart()
		stream(t, user, request("threads.add_client_tool_output", object{"thread_id": thread, "result": "green"}))

		want := []string{"user", "assistant call_1 " + details("one"), "tool", "assistant Pick one. call_2 " + details("two"), "tool"}
		requests := server.Upstream.Requests(question)
		if got := shape(requests[2]); !slices.Equal(got, want) {
			t.Errorf("after the pause upstream was sent\n%q\nwant\n%q", got, want)
		}
		next := "And now? " + t.Name()
		stream(t, user, request("threads.add_user_message", object{"thread_id": thread, "input": input(next)}))
		want = []string{"user", "assistant call_1", "tool", "assistant Pick one. call_2", "tool", "assistant Green.", "user"}
		if got := shape(server.Upstream.Requests(next)[0]); !slices.Equal(got, want) {
			t.Errorf("in the next turn upstream was sent\n%q\nwant\n%q", got, want)
		}
	})
}

// shape returns one line for each message after the system's: an assistant's with
// its text, calls and details.
func shape(request *harness.UpstreamRequest) []string {
	var lines []string
	for _, message := range request.Body.Messages[1:] {
		parts := []string{message.Role}
		if message.Role == "assistant" {
			parts = append(parts, message.Content)
			for _, call := range message.ToolCalls {
				parts = append(parts, call.ID)
			}
			parts = append(parts, string(message.ReasoningDetails))
		}
		lines = append(lines, strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), " "))
	}
	return lines
}

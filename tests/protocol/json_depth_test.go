package protocol_test

import (
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// nested returns nested JSON arrays.
func nested(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

// JSON that is nested too deep for other readers is never stored, since it would
// make a thread unreadable: a page's output is refused, and a model's call is
// answered with an error.
func TestDeepJSON(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		server := withTasks(t, database)
		user := server.User(t)
		for _, deep := range []string{nested(201), nested(9000), nested(9998), nested(12_000)} {
			question := "How deep is " + t.Name() + "?"
			server.Upstream.Answer(question,
				harness.ToolCallAnswer(
					harness.Call{ID: "call_1", Name: "tasks__add_task", Arguments: `{"title":` + deep + `}`},
					harness.Call{ID: "call_2", Name: "tasks__add_task", Arguments: `{"title":"` + deep + `"}`}),
				harness.ToolCallAnswer(harness.Call{ID: "call_3", Name: "pick", Arguments: `{"of":` + deep + `}`}),
				harness.ToolCallAnswer(harness.Call{ID: "call_4", Name: "pick", Arguments: `{"of":1}`}),
				answered("Deep."))
			body := request("threads.create", object{"input": input(question)})
			body["metadata"] = object{"client_tools": []any{object{"name": "pick"}}}
			events := stream(t, user, body)
			thread := events[0].Thread.ID
			requests := server.Upstream.Requests(question)
			results := requests[len(requests)-1].Results()
			if !strings.Contains(results["call_1"], "nested deeper than 200") || !strings.Contains(results["call_2"], ": "+strings.Repeat("[", 201)) ||
				!strings.Contains(results["call_3"], "nested deeper than 200") {
				t.Errorf("the model was told %.200q", results)
			}
			if call := done(events, "client_tool_call"); call.Status != "pending" {
				t.Errorf("the page's call is %+v", call)
			}

			got := post(t, user, output(thread.String(), deep))
			wantFailure(t, "a deep output", got, 400, "INVALID_REQUEST", "")
			if answer := done(stream(t, user, output(thread.String(), nested(200))), "assistant_message"); answer.Content[0].Text != "Deep." {
				t.Errorf("the answer is %+v", answer)
			}
			made := items(t, user, thread)
			if len(made) != 3 || string(made[1].Output) != nested(200) || len(user.Session(thread).Messages) != 5 {
				t.Errorf("the thread has %+v", made)
			}
			next := "And next? " + t.Name()
			events = stream(t, user, request("threads.add_user_message", object{"thread_id": thread, "input": input(next)}))
			if answer := done(events, "assistant_message"); answer.Content[0].Text != "Hello from the model." {
				t.Errorf("the next answer is %+v", answer)
			}
		}
		deepTag := `{"type":"threads.create","params":{"input":{"content":[{"type":"input_tag","id":"1","text":"a","data":{"a":` +
			nested(200) + `}}],"attachments":[],"inference_options":{}}}}`
		wantFailure(t, "a deep tag", post(t, user, deepTag), 400, "INVALID_REQUEST", "200")
		body := request("threads.create", object{"input": input("Hello")})
		body["metadata"] = object{"client_tools": []any{object{"name": "pick", "parameters": object{"enum": deepArrays(201)}}}}
		wantFailure(t, "a deep tool", post(t, user, body), 400, "INVALID_REQUEST", "200")
	})
}

func output(thread, result string) string {
	return `{"type":"threads.add_client_tool_output","params":{"thread_id":"` + thread + `","result":` + result + `}}`
}

func deepArrays(depth int) any {
	if depth == 0 {
		return []any{}
	}
	return []any{deepArrays(depth - 1)}
}

package protocol_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/client"
	"github.com/chatkit-rest/chatkit-rest/tests/harness"
	"github.com/chatkit-rest/chatkit-rest/tests/tasks"
)

// withTasks starts the server with the tools of an MCP server of tasks.
func withTasks(t *testing.T, database harness.Database) *harness.Server {
	t.Helper()
	path := tasksFile(t)
	return harness.Start(t, harness.Options{
		Database: database, Env: map[string]string{"MCP_SERVERS": path, "RATE_LIMIT_PER_MINUTE": "0"},
	})
}

// A line is a message in a form that both APIs can be compared in.
type line struct{ who, text, calls string }

// restLines reads a thread through the REST API.
func restLines(t *testing.T, user *harness.User, thread uuid.UUID) []line {
	t.Helper()
	var lines []line
	for _, message := range user.Session(thread).Messages {
		said := line{who: string(message.Role)}
		for _, part := range message.Content {
			raw, err := json.Marshal(part)
			if err != nil {
				t.Fatal(err)
			}
			var text struct {
				Text string `json:"text"`
			}
			if err := json.Unmarshal(raw, &text); err != nil {
				t.Fatal(err)
			}
			said.text += text.Text
		}
		if message.ToolCalls != nil {
			said.calls = callsOf(*message.ToolCalls)
		}
		lines = append(lines, said)
	}
	return lines
}

func callsOf(calls []client.ToolCall) string {
	var all []string
	for _, call := range calls {
		text := call.Name + call.Arguments
		if call.Result != nil {
			text += " = " + *call.Result
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

// protocolLines reads a thread through the ChatKit protocol, which does not show
// calls of the server's tools.
func protocolLines(t *testing.T, user *harness.User, thread uuid.UUID) []line {
	t.Helper()
	var lines []line
	for _, one := range items(t, user, thread) {
		said := line{who: "assistant"}
		switch one.Type {
		case "user_message":
			said.who = "user"
		case "client_tool_call":
			said.calls = one.Name + " " + one.Status
		case "workflow":
			continue
		}
		for _, part := range one.Content {
			said.text += part.Text
		}
		lines = append(lines, said)
	}
	return lines
}

// writing is a way to write a thread, and the lines that each API shows.
type writing struct {
	name           string
	write          func(t *testing.T, user *harness.User, text string) uuid.UUID
	scripts        []harness.Script
	rest, protocol []line
}

func byREST(t *testing.T, user *harness.User, text string) uuid.UUID {
	t.Helper()
	session := user.CreateSession()
	user.Say(session, text)
	return session
}

func byProtocol(t *testing.T, user *harness.User, text string) uuid.UUID {
	t.Helper()
	body := request("threads.create", object{"input": input(text)})
	body["metadata"] = object{"client_tools": []any{object{"name": "pick", "description": "Lets the user pick."}}}
	return stream(t, user, body)[0].Thread.ID
}

func writings() []writing {
	call := harness.Call{ID: "call_1", Name: "tasks__list_tasks", Arguments: `{}`}
	pick := harness.Call{ID: "call_2", Name: "pick", Arguments: `{"of":"colours"}`}
	return []writing{
		{
			"REST writes", byREST,
			[]harness.Script{answered("Good day.")},
			[]line{{"user", "{}", ""}, {"assistant", "Good day.", ""}},
			[]line{{"user", "{}", ""}, {"assistant", "Good day.", ""}},
		},
		{
			"the protocol writes", byProtocol,
			[]harness.Script{answered("Good day.")},
			[]line{{"user", "{}", ""}, {"assistant", "Good day.", ""}},
			[]line{{"user", "{}", ""}, {"assistant", "Good day.", ""}},
		},
		{
			"the server's tool, by REST", byREST,
			[]harness.Script{harness.ToolCallAnswer(call), answered("There are none.")},
			[]line{
				{"user", "{}", ""},
				{"assistant", "", `tasks__list_tasks{} = There are no tasks.`},
				{"assistant", "There are none.", ""},
			},
			[]line{{"user", "{}", ""}, {"assistant", "There are none.", ""}},
		},
		{
			"the server's tool, by the protocol, with words", byProtocol,
			[]harness.Script{
				append(harness.Script{harness.Text("Let me see.")}, harness.ToolCallAnswer(call)...), answered("There are none."),
			},
			[]line{
				{"user", "{}", ""},
				{"assistant", "Let me see.", `tasks__list_tasks{} = There are no tasks.`},
				{"assistant", "There are none.", ""},
			},
			[]line{{"user", "{}", ""}, {"assistant", "Let me see.", ""}, {"assistant", "There are none.", ""}},
		},
		{
			"the page's tool", byProtocol,
			[]harness.Script{harness.ToolCallAnswer(pick)},
			[]line{{"user", "{}", ""}, {"assistant", "", `pick{"of":"colours"}`}},
			[]line{{"user", "{}", ""}, {"assistant", "", "pick pending"}},
		},
		{
			"a thought", byProtocol,
			[]harness.Script{append(harness.Script{harness.Reasoning("Hm.")}, answered("Good day.")...)},
			[]line{{"user", "{}", ""}, {"assistant", "Good day.", ""}},
			[]line{{"user", "{}", ""}, {"assistant", "Good day.", ""}},
		},
	}
}

// Each API shows what was written through the other.
func TestBothAPIsShowTheSame(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		server := withTasks(t, database)
		for _, c := range writings() {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				user := server.User(t)
				question := "Do this: " + c.name
				server.Upstream.Answer(question, c.scripts...)
				thread := c.write(t, user, question)
				wantLines(t, "REST", restLines(t, user, thread), c.rest, question)
				wantLines(t, "the protocol", protocolLines(t, user, thread), c.protocol, question)
				if list := user.Sessions(); list.Meta.Total != 1 || int(list.Data[0].MessageCount) != len(c.rest) {
					t.Errorf("the list says %d sessions, %d messages", list.Meta.Total, list.Data[0].MessageCount)
				}
			})
		}
	})
}

// wantLines compares lines. {} stands for the question.
func wantLines(t *testing.T, api string, got, want []line, question string) {
	t.Helper()
	want = slices.Clone(want)
	for n := range want {
		want[n].text = strings.ReplaceAll(want[n].text, "{}", question)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s reads\n%q\nwant\n%q", api, got, want)
	}
}

// tasksFile writes an MCP configuration with the tasks over stdio and HTTP.
func tasksFile(t *testing.T) string {
	t.Helper()
	served := tasks.Serve(t)
	return writeFile(t, object{"mcpServers": object{
		"tasks": object{"command": tasks.Binary(t)},
		"far":   object{"url": served.URL, "headers": object{"Authorization": "Bearer " + served.Token}},
	}})
}

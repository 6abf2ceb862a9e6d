package protocol_test

import (
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

func writeFile(t *testing.T, content any) string {
	t.Helper()
	raw, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "servers.json")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func answered(text string) harness.Script {
	return harness.Script{harness.Text(text), harness.Finish("stop"), harness.Usage(9, 3, 0.1), harness.Done()}
}

// openDatabase opens the server's database.
func openDatabase(t *testing.T, server *harness.Server) *sql.DB {
	t.Helper()
	driver, source := "pgx", server.DatabaseURL
	if path, ok := strings.CutPrefix(source, "sqlite:///"); ok {
		driver, source = "sqlite", path
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // Only reads went over it.
	return db
}

// A tool server that ends during a call gives the model an error, and the run
// continues. The next message offers the same tools, and its call reaches the
// new process.
func TestToolServerEndsDuringACall(t *testing.T) {
	t.Parallel()
	server := withTasks(t, harness.SQLite)
	for _, name := range []string{"tasks", "far"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			user := server.User(t)
			question := "Crash " + name
			server.Upstream.Answer(question,
				harness.ToolCallAnswer(harness.Call{ID: "call_1", Name: name + "__crash", Arguments: "{}"}), answered("It crashed."))
			thread, made := createThread(t, user, question)
			if len(made) != 2 || made[1].Content[0].Text != "It crashed." {
				t.Errorf("the thread has %+v", made)
			}
			results := server.Upstream.Requests(question)[1].Results()
			if len(results) != 1 || results["call_1"] == "" {
				t.Errorf("the model was sent %q", results)
			}
			if name == "far" {
				return // Only its own operator starts it again.
			}
			again := "List after " + name
			server.Upstream.Answer(again,
				harness.ToolCallAnswer(harness.Call{ID: "call_2", Name: name + "__list_tasks", Arguments: "{}"}), answered("There are none."))
			body := input(again)
			body["inference_options"] = object{"tool_choice": object{"id": name + "__list_tasks"}}
			stream(t, user, request("threads.add_user_message", object{"thread_id": thread, "input": body}))
			requests := server.Upstream.Requests(again)
			if len(requests) != 2 || requests[1].Results()["call_2"] != "There are no tasks." {
				t.Errorf("the next message made %d requests, the last with %q", len(requests), requests[len(requests)-1].Results())
			}
		})
	}
}

// The stream shows which tools are used, and which calls failed. The model is offered the tools of all
// servers and of the page.
func TestOfferedToolsAndProgress(t *testing.T) {
	t.Parallel()
	server := withTasks(t, harness.SQLite)
	user := server.User(t)
	question := "Add task: Buy milk"
	server.Upstream.Answer(question, harness.ToolCallAnswer(
		harness.Call{ID: "a", Name: "tasks__add_task", Arguments: `{"title":"Buy milk"}`},
		harness.Call{ID: "b", Name: "far__add_task", Arguments: `{"title":"Buy milk"}`},
		harness.Call{ID: "c", Name: "far__nothing", Arguments: `{}`},
		harness.Call{ID: "d", Name: "far__list_tasks", Arguments: `{"open":`},
	), answered("Added."))
	body := request("threads.create", object{"input": input(question)})
	body["metadata"] = object{"client_tools": []any{object{"name": "pick", "description": "Lets the user pick."}}}
	var progress []string
	for _, e := range stream(t, user, body) {
		if e.Type == "progress_update" {
			progress = append(progress, e.Text)
		}
	}
	if !slices.Equal(progress, []string{
		"Using tasks__add_task …", "Using far__add_task …", "Using far__nothing …",
		"Using far__list_tasks …", "Could not call far__list_tasks", "Could not call far__nothing",
	}) {
		t.Errorf("progress is %q", progress)
	}
	requests := server.Upstream.Requests(question)
	var offered []string
	for _, tool := range requests[0].Body.Tools {
		offered = append(offered, tool.Function.Name)
	}
	for _, name := range []string{"tasks__add_task", "far__list_tasks", "pick"} {
		if !slices.Contains(offered, name) {
			t.Errorf("%s is not offered: %q", name, offered)
		}
	}
	if offered[len(offered)-1] != "pick" {
		t.Errorf("the page's tool is not the last: %q", offered)
	}
	if results := requests[1].Results(); !strings.HasPrefix(results["a"], "Added task") || !strings.HasPrefix(results["b"], "Added task") {
		t.Errorf("the model was sent %q", results)
	}
}

// A call of the page's tool waits for its output, which continues the run. A
// thread that has continued otherwise refuses the output.
func TestClientTool(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		server := harness.Start(t, harness.Options{Database: database})
		user := server.User(t)
		question := "Which colour? " + t.Name()
		server.Upstream.Answer(question,
			harness.ToolCallAnswer(harness.Call{ID: "call_1", Name: "pick", Arguments: `{"of":["red","green"]}`}), answered("Green."))
		body := request("threads.create", object{"input": input(question)})
		body["metadata"] = object{"client_tools": []any{object{"name": "pick"}}}
		events := stream(t, user, body)
		thread := events[0].Thread.ID
		if call := done(events, "client_tool_call"); call.Status != "pending" || call.Name != "pick" {
			t.Fatalf("the events are %+v", events)
		}
		events = stream(t, user, request("threads.add_client_tool_output", object{"thread_id": thread, "result": "green"}))
		if answer := done(events, "assistant_message"); answer.Content[0].Text != "Green." {
			t.Errorf("the events are %+v", events)
		}
		made := items(t, user, thread)
		if len(made) != 3 || made[1].Status != "completed" || string(made[1].Output) != `"green"` {
			t.Errorf("the thread has %+v", made)
		}
		got := post(t, user, request("threads.add_client_tool_output", object{"thread_id": thread, "result": "red"}))
		wantFailure(t, "a second output", got, 400, "INVALID_REQUEST", "waits")
	})
}

// A retry keeps the replaced items in the database and shows them in no API.
func TestRetryKeepsReplacedItems(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		server := harness.Start(t, harness.Options{Database: database})
		user := server.User(t)
		question := "Again, please: " + t.Name()
		server.Upstream.Answer(question, answered("One."), answered("Two."))
		thread, made := createThread(t, user, question)
		events := stream(t, user, request("threads.retry_after_item", object{"thread_id": thread, "item_id": made[0].ID}))
		if events[0].Type != "stream_options" || done(events, "assistant_message").Content[0].Text != "Two." {
			t.Errorf("the events are %+v", events)
		}
		after := items(t, user, thread)
		if len(after) != 2 || after[1].Content[0].Text != "Two." || len(user.Session(thread).Messages) != 2 {
			t.Errorf("the thread has %+v", after)
		}
		db := openDatabase(t, server)
		var kept int
		row := db.QueryRowContext(t.Context(), "SELECT count(*) FROM items WHERE superseded_at IS NOT NULL")
		if err := row.Scan(&kept); err != nil || kept != 1 {
			t.Errorf("%d superseded items are kept, error %v", kept, err)
		}
	})
}

// Feedback can be given for items of the thread, and changed.
func TestFeedback(t *testing.T) {
	t.Parallel()
	server := harness.Start(t, harness.Options{})
	user := server.User(t)
	thread, made := createThread(t, user, "Hello")
	for _, kind := range []string{"positive", "negative"} {
		got := post(t, user, request("items.feedback", object{
			"thread_id": thread, "item_ids": []uuid.UUID{made[1].ID}, "kind": kind,
		}))
		if got.Status != 200 || strings.TrimSpace(string(got.Body)) != "{}" {
			t.Errorf("%s: %d %s", kind, got.Status, got.Body)
		}
	}
}

package mcp

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/tests/tasks"
)

// TestTools: every tool has a name and parameters that model services accept, and
// the order is fixed.
func TestTools(t *testing.T) {
	t.Parallel()
	onEachTransport(t, func(t *testing.T, server Server) {
		b := open(t, server)
		tools := b.Tools(t.Context())
		names := b.names()
		for _, tool := range []string{"tasks__add_task", "tasks__list_tasks", "tasks__write_log_8a8c8554"} {
			if !slices.Contains(names, tool) {
				t.Errorf("there is no tool %s in %q", tool, names)
			}
		}
		if !slices.IsSorted(names) {
			t.Errorf("the tools are in no order: %q", names)
		}
		for _, tool := range tools {
			var schema struct {
				Type       string          `json:"type"`
				Properties *map[string]any `json:"properties"`
			}
			if err := json.Unmarshal(tool.Parameters, &schema); err != nil || schema.Type != "object" || schema.Properties == nil {
				t.Errorf("%s has the parameters %s: %v", tool.Name, tool.Parameters, err)
			}
			if !regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`).MatchString(tool.Name) {
				t.Errorf("no service takes the name %q", tool.Name)
			}
		}
	})
}

// TestPages: all pages of a list are read.
func TestPages(t *testing.T) {
	t.Parallel()
	whole := open(t, Server{Name: "tasks", Command: tasks.Binary(t)})
	paged := open(t, Server{Name: "tasks", Command: tasks.Binary(t), Args: []string{"-pages", "2"}})
	if got, want := paged.names(), whole.names(); len(want) < 10 || !slices.Equal(got, want) {
		t.Errorf("the paged list is %q, want %q", got, want)
	}
}

// TestCall: results and failures of all kinds become texts.
func TestCall(t *testing.T) {
	t.Parallel()
	onEachTransport(t, func(t *testing.T, server Server) {
		b := open(t, server)
		b.want("list_tasks", "", "There are no tasks.")
		b.want("add_task", `{"title":"Buy milk"}`, "Added task 1: Buy milk")
		b.want("list_tasks", "", "1. Buy milk")
		b.wantError("add_task", `{"title":" "}`, "the title is empty")
		b.wantError("fail", `{}`, "the tasks are locked")
		b.wantError("add_task", `{"title":1}`, "title")
		b.wantFailed("fly", `{}`, "no tool")
		b.want("structured", "", `{"tasks":2}`)
		b.want("silent", "", "The tool gave no text.")
		b.want("picture", "", "A picture:\n[an image, image/png, 10 bytes, which cannot be shown here]\n"+
			"[a sound, audio/wav, 8 bytes, which cannot be shown here]")
		b.want("resource", "", "the notes\n[a file, file:///a.bin, application/octet-stream, 1 bytes, which cannot be shown here]\n"+
			"[a link: more file:///more.txt]")
		if got := b.Call(t.Context(), chat.ToolUse{Name: "other__add_task", Arguments: "{}"}); !got.Failed {
			t.Errorf("a server that is not there answered %+v", got)
		}
	})
}

// TestLargeResult: a long result is cut between characters, with a note.
func TestLargeResult(t *testing.T) {
	t.Parallel()
	onEachTransport(t, func(t *testing.T, server Server) {
		b := open(t, server)
		b.want("large", `{"chars":16000}`, strings.Repeat("ä", 16000))
		b.want("large", `{"chars":500000}`, strings.Repeat("ä", 16000)+
			"\n[The result was cut here; 484000 more characters were left out.]")
	})
}

// TestParallel: calls do not wait for one another. The slow calls end only when
// they are canceled, and all of them are in progress at once.
func TestParallel(t *testing.T) {
	t.Parallel()
	onEachTransport(t, func(t *testing.T, server Server) {
		b := open(t, server)
		ctx, cancel := context.WithCancel(t.Context())
		var calls sync.WaitGroup
		for range 8 {
			calls.Go(func() {
				if got := b.Call(ctx, chat.ToolUse{Name: "tasks__slow", Arguments: `{"milliseconds":600000}`}); !got.Failed {
					t.Errorf("a call that was stopped gave %+v", got)
				}
			})
		}
		until(t, "all calls are under way", func() bool { return b.servers[0].calls.Load() == 8 })
		for i := range 8 {
			calls.Go(func() {
				if got := b.call("add_task", fmt.Sprintf(`{"title":"%d"}`, i)); got.Failed {
					t.Errorf("a call beside slow ones failed: %+v", got)
				}
			})
		}
		until(t, "the quick calls are done", func() bool { return b.servers[0].calls.Load() == 8 })
		cancel()
		calls.Wait()
		if lines := strings.Count(b.call("list_tasks", "").Text, "\n"); lines != 7 {
			t.Errorf("there are %d tasks, want 8", lines+1)
		}
	})
}

// TestTimeout: a call that takes too long fails with a text, and the connection
// remains.
func TestTimeout(t *testing.T) {
	t.Parallel()
	onEachTransport(t, func(t *testing.T, server Server) {
		server.Timeout = 300 * time.Millisecond
		b := open(t, server)
		b.wantFailed("slow", `{"milliseconds":600000}`, "did not answer within 300ms")
		b.want("list_tasks", "", "There are no tasks.")
	})
}

// TestAllowedTools: only allowed tools are offered and can be called.
func TestAllowedTools(t *testing.T) {
	t.Parallel()
	onEachTransport(t, func(t *testing.T, server Server) {
		server.Tools = []string{"list_tasks", "no_such"}
		b := open(t, server)
		if got := b.names(); !slices.Equal(got, []string{"tasks__list_tasks"}) {
			t.Errorf("the tools are %q", got)
		}
		b.wantFailed("add_task", `{"title":"Buy milk"}`, "no tool")
		b.want("list_tasks", "", "There are no tasks.")
		if !strings.Contains(b.log.String(), "no_such") {
			t.Error("the log does not name an allowed tool that is not there")
		}
	})
}

// TestUserID: a tool gets the user's id only if the operator allows it.
func TestUserID(t *testing.T) {
	t.Parallel()
	onEachTransport(t, func(t *testing.T, server Server) {
		open(t, server).want("who", "", "no user")
		server.SendUserID = true
		open(t, server).want("who", "", "alice@example.com")
	})
}

// TestEnvironment: a command gets the variables of its settings, and not those of
// this process.
func TestEnvironment(t *testing.T) {
	t.Setenv("JWT_SECRET", "not-for-tools")
	b := open(t, Server{Name: "tasks", Command: tasks.Binary(t), Env: []string{"GIVEN=yes"}})
	b.want("env", `{"name":"GIVEN"}`, `"yes" true`)
	b.want("env", `{"name":"JWT_SECRET"}`, `"" false`)
	if got := b.call("env", `{"name":"PATH"}`); !strings.HasSuffix(got.Text, "true") {
		t.Errorf("PATH is %s", got.Text)
	}
}

// TestStderr: stderr goes to the log, limited and without secrets.
func TestStderr(t *testing.T) {
	t.Parallel()
	b := open(t, Server{
		Name: "tasks", Command: tasks.Binary(t), Env: []string{"TASKS_TOKEN=hunter2-hunter2"}, Hidden: []string{"hunter2-hunter2"},
	})
	b.want("write_log_8a8c8554", `{"chars":2000}`, "done")
	until(t, "stderr is in the log", func() bool { return strings.Contains(b.log.String(), "further lines are not logged") })
	log := b.log.String()
	if !strings.Contains(log, "the token is [hidden]") || strings.Contains(log, "hunter2") {
		t.Error("the log has the secret, or not its place")
	}
	if lines := strings.Count(log, "a line xxx"); lines != maxLinesPerWindow-1 {
		t.Errorf("the log has %d lines of the command's, want %d and the first", lines, maxLinesPerWindow-1)
	}
	if long := regexp.MustCompile(`x{501}`).MatchString(log); long {
		t.Error("the log has a long line")
	}
}

// TestNames: the offered names are stable, valid and distinct.
func TestNames(t *testing.T) {
	t.Parallel()
	seen := make(map[string]string)
	for _, tool := range []string{
		"add", "add.task", "add/task", "add_task", "", "_x", "ä", "ö", strings.Repeat("n", 128), strings.Repeat("n", 127) + "m", strings.Repeat("ä", 60),
	} {
		name := offeredName("tasks", tool)
		if !regexp.MustCompile(`^tasks__[a-zA-Z0-9_-]{1,57}$`).MatchString(name) {
			t.Errorf("%q is offered as %q", tool, name)
		}
		if other, ok := seen[name]; ok {
			t.Errorf("%q and %q are both offered as %q", tool, other, name)
		}
		seen[name] = tool
	}
	if name := offeredName("tasks", "add_task"); name != "tasks__add_task" {
		t.Errorf("add_task is offered as %q", name)
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// taskList has the titles of the tasks in the order of their creation.
type taskList struct {
	mu     sync.Mutex
	titles []string
}

// noArguments are the arguments of a tool without parameters.
type noArguments struct{}

func newServer(pages int) *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: "tasks", Version: "1"}, &mcp.ServerOptions{PageSize: pages})
	tasks := &taskList{}
	mcp.AddTool(server, &mcp.Tool{Name: "add_task", Description: "Add a task to the list of tasks."}, tasks.add)
	mcp.AddTool(server, &mcp.Tool{Name: "list_tasks", Description: "List the tasks."}, tasks.show)
	addBadTools(server)
	mcp.AddTool(server, &mcp.Tool{Name: "grow", Description: "Add the tool grown."},
		func(context.Context, *mcp.CallToolRequest, noArguments) (*mcp.CallToolResult, any, error) {
			mcp.AddTool(server, &mcp.Tool{Name: "grown"}, func(context.Context, *mcp.CallToolRequest, noArguments) (*mcp.CallToolResult, any, error) {
				return text("grown"), nil, nil
			})
			return text("done"), nil, nil
		})
	mcp.AddTool(server, &mcp.Tool{Name: "shrink", Description: "Remove the tool grown."},
		func(context.Context, *mcp.CallToolRequest, noArguments) (*mcp.CallToolResult, any, error) {
			server.RemoveTools("grown")
			return text("done"), nil, nil
		})
	return server
}

func text(s string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: s}}}
}

type task struct {
	Title string `json:"title" jsonschema:"the title of the task"`
}

func (l *taskList) add(_ context.Context, _ *mcp.CallToolRequest, t task) (*mcp.CallToolResult, any, error) {
	if strings.TrimSpace(t.Title) == "" {
		return nil, nil, errors.New("the title is empty")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.titles = append(l.titles, t.Title)
	return text(fmt.Sprintf("Added task %d: %s", len(l.titles), t.Title)), nil, nil
}

func (l *taskList) show(context.Context, *mcp.CallToolRequest, noArguments) (*mcp.CallToolResult, any, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.titles) == 0 {
		return text("There are no tasks."), nil, nil
	}
	lines := make([]string, len(l.titles))
	for i, title := range l.titles {
		lines[i] = fmt.Sprintf("%d. %s", i+1, title)
	}
	return text(strings.Join(lines, "\n")), nil, nil
}

type duration struct {
	Milliseconds int `json:"milliseconds"`
}

type size struct {
	Chars int `json:"chars"`
}

type variable struct {
	Name string `json:"name"`
}

// addBadTools adds tools that misbehave.
func addBadTools(server *mcp.Server) {
	mcp.AddTool(server, &mcp.Tool{Name: "slow", Description: "Wait."}, slow)
	mcp.AddTool(server, &mcp.Tool{Name: "fail", Description: "Fail."},
		func(context.Context, *mcp.CallToolRequest, noArguments) (*mcp.CallToolResult, any, error) {
			return nil, nil, errors.New("the tasks are locked")
		})
	mcp.AddTool(server, &mcp.Tool{Name: "crash", Description: "Exit the server during the call."},
		func(context.Context, *mcp.CallToolRequest, noArguments) (*mcp.CallToolResult, any, error) {
			os.Exit(3)
			return nil, nil, nil
		})
	mcp.AddTool(server, &mcp.Tool{Name: "large", Description: "Return a text of this length."},
		func(_ context.Context, _ *mcp.CallToolRequest, s size) (*mcp.CallToolResult, any, error) {
			return text(strings.Repeat("ä", s.Chars)), nil, nil
		})
	mcp.AddTool(server, &mcp.Tool{Name: "who", Description: "Return the id of the user."},
		func(_ context.Context, call *mcp.CallToolRequest, _ noArguments) (*mcp.CallToolResult, any, error) {
			id, ok := call.Params.Meta["chatkit-rest/user_id"].(string)
			if !ok {
				return text("no user"), nil, nil
			}
			return text(id), nil, nil
		})
	mcp.AddTool(server, &mcp.Tool{Name: "env", Description: "Return a variable of the server's environment."},
		func(_ context.Context, _ *mcp.CallToolRequest, v variable) (*mcp.CallToolResult, any, error) {
			value, ok := os.LookupEnv(v.Name)
			return text(fmt.Sprintf("%q %t", value, ok)), nil, nil
		})
	mcp.AddTool(server, &mcp.Tool{Name: "write.log", Description: "Write lines to stderr."},
		func(_ context.Context, _ *mcp.CallToolRequest, s size) (*mcp.CallToolResult, any, error) {
			for range s.Chars {
				fmt.Fprintln(os.Stderr, "a line", strings.Repeat("x", 2000))
			}
			return text("done"), nil, nil
		})
	addOtherResults(server)
}

// addOtherResults adds tools whose results are not one text.
func addOtherResults(server *mcp.Server) {
	add := func(name string, result *mcp.CallToolResult) {
		mcp.AddTool(server, &mcp.Tool{Name: name}, func(context.Context, *mcp.CallToolRequest, noArguments) (*mcp.CallToolResult, any, error) {
			return result, nil, nil
		})
	}
	add("picture", &mcp.CallToolResult{Content: []mcp.Content{
		&mcp.TextContent{Text: "A picture:"}, &mcp.ImageContent{MIMEType: "image/png", Data: []byte("no picture")},
		&mcp.AudioContent{MIMEType: "audio/wav", Data: []byte("no sound")},
	}})
	add("resource", &mcp.CallToolResult{Content: []mcp.Content{
		&mcp.EmbeddedResource{Resource: &mcp.ResourceContents{URI: "file:///notes.txt", MIMEType: "text/plain", Text: "the notes"}},
		&mcp.EmbeddedResource{Resource: &mcp.ResourceContents{URI: "file:///a.bin", MIMEType: "application/octet-stream", Blob: []byte{1}}},
		&mcp.ResourceLink{URI: "file:///more.txt", Name: "more"},
	}})
	add("structured", &mcp.CallToolResult{Content: []mcp.Content{}, StructuredContent: map[string]any{"tasks": 2}})
	add("silent", &mcp.CallToolResult{Content: []mcp.Content{}})
}

func slow(ctx context.Context, _ *mcp.CallToolRequest, d duration) (*mcp.CallToolResult, any, error) {
	select {
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	case <-time.After(time.Duration(d.Milliseconds) * time.Millisecond):
		return text("waited"), nil, nil
	}
}

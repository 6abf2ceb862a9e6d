// Package mcp implements chat.Toolbox with MCP servers. It keeps a connection to
// each, caches its tools, and reconnects a server that is disconnected.
package mcp

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// Server says how to connect to a server and what it may do. It has either a
// Command or a URL.
type Server struct {
	// Name consists of letters, digits, "-", and single "_" between them.
	Name string

	// Command is run with Args in Folder, and speaks MCP over its stdin and
	// stdout. An empty Folder is this process's own. Env has NAME=value lines,
	// which are added to the few variables that every program needs.
	Command string
	Args    []string
	Env     []string
	Folder  string

	// URL is of a server that speaks streamable HTTP. Headers are sent with
	// every request.
	URL     string
	Headers map[string]string

	// Tools are the names of the tools that the model is offered. Nil: all.
	Tools []string
	// Timeout bounds a call.
	Timeout time.Duration
	// StartTimeout bounds a start of the server, until its tools are listed.
	// Zero: two minutes.
	StartTimeout time.Duration
	// SendUserID sends the user's id with each call.
	SendUserID bool
	// Secrets are removed from logs and results. Hidden texts are removed from
	// logs, and from results if they look like secrets.
	Secrets, Hidden []string
}

// Options are what a Toolbox needs.
type Options struct {
	Servers []Server
	// Version of this program, which the servers receive.
	Version string
	Logger  *slog.Logger

	pace *pace // nil: the usual one
}

// pace holds the durations that govern connections.
type pace struct {
	// start bounds a start of a server that has no StartTimeout.
	start time.Duration
	// list bounds each later request for the list of tools.
	list time.Duration
	// check is how often the tools of an idle server are listed again.
	check time.Duration
	// gap is the least time between two requests for the list.
	gap time.Duration
	// again is the first pause before a new attempt to connect. It doubles up
	// to most. It starts over after a completed call, and after a connection
	// that lasted for steady.
	again, most, steady time.Duration
	// keep is how long the tools of a server that is not connected stay
	// offered.
	keep time.Duration
	// stop is how long a command may take to exit after its stdin is closed,
	// and again after SIGTERM. leave bounds the end of an HTTP session.
	stop, leave time.Duration
}

func usualPace() *pace {
	return &pace{
		start: 2 * time.Minute, list: 10 * time.Second, check: 30 * time.Second, gap: 500 * time.Millisecond,
		again: 250 * time.Millisecond, most: 30 * time.Second, steady: time.Minute, keep: 10 * time.Minute,
		stop: 2 * time.Second, leave: time.Second,
	}
}

// closePatience bounds Close.
const closePatience = 10 * time.Second

// Toolbox implements [chat.Toolbox].
type Toolbox struct {
	servers []*server // by name
	cancel  context.CancelFunc
	ended   sync.WaitGroup
	logger  *slog.Logger
}

var _ chat.Toolbox = (*Toolbox)(nil)

// Start begins to connect to the servers. It does not wait for them.
func Start(o Options) *Toolbox {
	ctx, cancel := context.WithCancel(context.Background())
	t := &Toolbox{cancel: cancel, logger: o.Logger}
	for _, each := range o.Servers {
		t.servers = append(t.servers, newServer(each, o))
	}
	slices.SortFunc(t.servers, func(a, b *server) int { return strings.Compare(a.Name, b.Name) })
	for _, s := range t.servers {
		t.ended.Go(func() { s.maintain(ctx) })
	}
	return t
}

// Await waits until every server has been tried once, or ctx ends.
func (t *Toolbox) Await(ctx context.Context) {
	for _, s := range t.servers {
		select {
		case <-s.tried:
		case <-ctx.Done():
			return
		}
	}
}

// Tools implements [chat.Toolbox]. It returns the tools by server and name,
// also those of a server that is being reconnected.
func (t *Toolbox) Tools(context.Context) []chat.Tool {
	var tools []chat.Tool
	for _, s := range t.servers {
		if l := s.listing.Load(); l != nil {
			tools = append(tools, l.tools...)
		}
	}
	return tools
}

// Call implements [chat.Toolbox].
func (t *Toolbox) Call(ctx context.Context, use chat.ToolUse) chat.ToolResult {
	name, _, _ := strings.Cut(use.Name, separator)
	for _, s := range t.servers {
		if s.Name == name {
			return s.call(ctx, use)
		}
	}
	return noSuchTool()
}

// Close stops the commands and disconnects from the other servers. Calls in
// progress fail.
func (t *Toolbox) Close() {
	t.cancel()
	ended := make(chan struct{})
	go func() {
		t.ended.Wait()
		close(ended)
	}()
	patience := time.NewTimer(closePatience)
	defer patience.Stop()
	select {
	case <-ended:
	case <-patience.C:
		t.logger.Error("a tool server could not be stopped in time", "patience", closePatience)
	}
}

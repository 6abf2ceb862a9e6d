package main

import (
	"context"
	"time"

	"github.com/chatkit-rest/chatkit-rest/cmd/chatkit-rest/internal/adapters"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/config"
	"github.com/chatkit-rest/chatkit-rest/internal/mcp"
	"github.com/chatkit-rest/chatkit-rest/internal/telemetry"
)

// toolsStartWait is how long a start waits for the MCP servers, so that the first
// answers have their tools. The tools of slower servers are added later.
const toolsStartWait = 2 * time.Second

// newTools starts the MCP servers of MCP_SERVERS. It returns nil if there are
// none.
func (a *assembly) newTools(ctx context.Context, settings config.Settings) chat.Toolbox {
	if len(settings.MCPServers) == 0 {
		return nil
	}
	servers := make([]mcp.Server, len(settings.MCPServers))
	for i, server := range settings.MCPServers {
		servers[i] = adapters.MCPServer(server)
	}
	tools := mcp.Start(mcp.Options{Servers: servers, Version: version, Logger: a.logger})
	a.closers = append(a.closers, tools.Close)
	ctx, cancel := context.WithTimeout(ctx, toolsStartWait)
	defer cancel()
	tools.Await(ctx)
	return telemetry.Tools(a.metrics, a.tracing, tools)
}

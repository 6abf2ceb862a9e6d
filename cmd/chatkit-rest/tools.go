package main

import (
	"context"
	"time"

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
		servers[i] = mcpServer(server)
	}
	tools := mcp.Start(mcp.Options{Servers: servers, Version: version, Logger: a.logger})
	a.closers = append(a.closers, tools.Close)
	ctx, cancel := context.WithTimeout(ctx, toolsStartWait)
	defer cancel()
	tools.Await(ctx)
	return telemetry.Tools(a.metrics, a.tracing, tools)
}

// mcpServer converts a server of MCP_SERVERS, and reveals its secrets.
func mcpServer(settings config.MCPServer) mcp.Server {
	server := mcp.Server{
		Name: settings.Name, Command: settings.Command, Folder: settings.Folder, URL: settings.URL.Reveal(), Headers: make(map[string]string),
		Tools: settings.Tools, Timeout: settings.Timeout, StartTimeout: settings.StartTimeout, SendUserID: settings.SendUserID,
	}
	for _, arg := range settings.Args {
		server.Args = append(server.Args, arg.Reveal())
	}
	for name, value := range settings.Env {
		server.Env = append(server.Env, name+"="+value.Reveal())
	}
	for name, value := range settings.Headers {
		server.Headers[name] = value.Reveal()
	}
	for _, secret := range settings.Secrets {
		server.Secrets = append(server.Secrets, secret.Reveal())
	}
	for _, secret := range settings.Hidden {
		server.Hidden = append(server.Hidden, secret.Reveal())
	}
	return server
}

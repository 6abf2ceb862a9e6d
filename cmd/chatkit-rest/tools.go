package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/config"
	"github.com/chatkit-rest/chatkit-rest/internal/mcp"
	"github.com/chatkit-rest/chatkit-rest/internal/telemetry"
)

// toolsPatience is how long a start waits for servers of tools, so that the
// first answers have them; those that take longer come later.
const toolsPatience = 2 * time.Second

// newTools starts what MCP_SERVERS names; nil where it names nothing.
func (a *assembly) newTools(ctx context.Context, settings config.Settings) chat.Toolbox {
	if len(settings.MCPServers) == 0 {
		return nil
	}
	servers := make([]mcp.Server, len(settings.MCPServers))
	for i, server := range settings.MCPServers {
		servers[i] = toolServer(server)
	}
	tools := mcp.Start(mcp.Options{Servers: servers, Version: version, Logger: a.logger})
	a.closers = append(a.closers, tools.Close)
	ctx, cancel := context.WithTimeout(ctx, toolsPatience)
	defer cancel()
	tools.Await(ctx)
	return telemetry.Tools(a.metrics, a.tracing, tools)
}

// toolServer is a server of MCP_SERVERS with its secrets, for the one place
// that needs them.
func toolServer(of config.MCPServer) mcp.Server {
	server := mcp.Server{
		Name: of.Name, Command: of.Command, Folder: of.Folder, URL: of.URL.Reveal(), Headers: make(map[string]string),
		Tools: of.Tools, Timeout: of.Timeout, StartTimeout: of.StartTimeout, SendUserID: of.SendUserID,
	}
	for _, arg := range of.Args {
		server.Args = append(server.Args, arg.Reveal())
	}
	for name, value := range of.Env {
		server.Env = append(server.Env, name+"="+value.Reveal())
	}
	for name, value := range of.Headers {
		server.Headers[name] = value.Reveal()
	}
	for _, secret := range of.Secrets {
		server.Secrets = append(server.Secrets, secret.Reveal())
	}
	for _, secret := range of.Hidden {
		server.Hidden = append(server.Hidden, secret.Reveal())
	}
	return server
}

// verifyTools looks at one server of tools.
func verifyTools(of config.MCPServer) func(context.Context, config.Settings) (string, error) {
	return func(ctx context.Context, _ config.Settings) (string, error) {
		found, err := mcp.Probe(ctx, toolServer(of), version)
		if err != nil {
			return "", fmt.Errorf("MCP_SERVERS: server %s: %w", of.Name, err)
		}
		if len(found.Missing) > 0 {
			return "", unsure{fmt.Sprintf("%s: %d tools; allowedTools has some that the server does not have: %s",
				of.Name, len(found.Tools), strings.Join(found.Missing, ", "))}
		}
		return fmt.Sprintf("%s: %d tools", of.Name, len(found.Tools)), nil
	}
}

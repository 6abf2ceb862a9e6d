package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/chatkit-rest/chatkit-rest/internal/config"
	"github.com/chatkit-rest/chatkit-rest/internal/mcp"
)

// verifyTools returns the check of one MCP server.
func verifyTools(server config.MCPServer) func(context.Context, config.Settings) (string, error) {
	return func(ctx context.Context, _ config.Settings) (string, error) {
		found, err := mcp.Probe(ctx, mcpServer(server), version)
		if err != nil {
			return "", fmt.Errorf("MCP_SERVERS: server %s: %w", server.Name, err)
		}
		if len(found.Missing) > 0 {
			return "", unsureError{fmt.Sprintf("%s: %d tools; allowedTools has some that the server does not have: %s",
				server.Name, len(found.Tools), strings.Join(found.Missing, ", "))}
		}
		return fmt.Sprintf("%s: %d tools", server.Name, len(found.Tools)), nil
	}
}

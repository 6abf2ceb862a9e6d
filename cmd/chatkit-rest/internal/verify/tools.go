package verify

import (
	"context"
	"fmt"
	"strings"

	"github.com/chatkit-rest/chatkit-rest/cmd/chatkit-rest/internal/adapters"
	"github.com/chatkit-rest/chatkit-rest/internal/config"
	"github.com/chatkit-rest/chatkit-rest/internal/mcp"
)

// checkTools starts an MCP server, or connects to it, and counts its tools.
func (c checker) checkTools(ctx context.Context, server config.MCPServer) (string, error) {
	found, err := mcp.Probe(ctx, adapters.MCPServer(server), c.version)
	if err != nil {
		return "", fmt.Errorf("MCP_SERVERS: server %s: %w", server.Name, err)
	}
	if len(found.Missing) > 0 {
		return "", unsureError{fmt.Sprintf("%s: %d tools; allowedTools has some that the server does not have: %s",
			server.Name, len(found.Tools), strings.Join(found.Missing, ", "))}
	}
	return fmt.Sprintf("%s: %d tools", server.Name, len(found.Tools)), nil
}

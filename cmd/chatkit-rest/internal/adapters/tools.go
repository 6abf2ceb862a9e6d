package adapters

import (
	"github.com/chatkit-rest/chatkit-rest/internal/config"
	"github.com/chatkit-rest/chatkit-rest/internal/mcp"
)

// MCPServer converts a server of MCP_SERVERS, and reveals its secrets.
func MCPServer(settings config.MCPServer) mcp.Server {
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

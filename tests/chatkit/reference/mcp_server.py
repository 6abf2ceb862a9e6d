"""Serves the tools over MCP by stdio, for the server under test."""

import anyio
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

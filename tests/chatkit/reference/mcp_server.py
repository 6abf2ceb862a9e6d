"""Serves the tools over MCP on standard input and output, for the server under
test: python -m reference.mcp_server"""

import anyio
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.types import CallToolResult, ListToolsResult, TextContent, Tool

from .tools import TOOLS

FUNCTIONS = {name: function for name, _, _, function in TOOLS}


async def list_tools(*_) -> ListToolsResult:
    return ListToolsResult(
        tools=[
            Tool(name=name, description=description, input_schema=parameters)
            for name, description, parameters, _ in TOOLS
        ]
    )


async def call_tool(_, call) -> CallToolResult:
    try:
        text, failed = FUNCTIONS[call.name](**(call.arguments or {})), False
    except Exception as problem:
        text, failed = f"The tool failed: {problem}", True
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=failed)


async def main() -> None:
    server = Server("tasks", on_list_tools=list_tools, on_call_tool=call_tool)
    async with stdio_server() as (reader, writer):
        await server.run(reader, writer, server.create_initialization_options())


if __name__ == "__main__":
    anyio.run(main)

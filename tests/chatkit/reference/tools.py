"""The tools that both servers offer the model: the reference as functions, the
server under test over MCP (`mcp_server.py`). None has a memory, so that both
answer alike."""

import json
from typing import Any


def add_task(title: str) -> str:
    return f"Added task: {title}"


def list_tasks() -> str:
    return json.dumps(["Buy milk", "Water the plants"])


def break_down() -> str:
    raise RuntimeError("the tool broke down")


TEXT = {"type": "string"}


def schema(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


# Name, description, JSON Schema of the arguments, function.
TOOLS = (
    ("add_task", "Adds a task to the list.", schema(title=TEXT), add_task),
    ("list_tasks", "Tells the tasks of the list.", schema(), list_tasks),
    ("break_down", "Always fails.", schema(), break_down),
)

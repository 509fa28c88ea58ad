"""Reader for tools described in JSON: a list in OpenAI form, with nothing to run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from lamina.errors import ToolDefinitionError
from lamina.tools.tool import Tool, Toolbox

NAME = re.compile(r"[a-zA-Z0-9_.-]{1,64}")


def claims(path: Path) -> bool:
    return path.suffix == ".json"


def read(path: Path) -> Toolbox:
    """``[{"type": "function", "function": {…}}, …]``, the bare inner objects, or ``{"tools": […]}``.

    Raises ToolDefinitionError that names the entry at fault.
    """
    try:
        rows = json.loads(path.read_bytes())
    except json.JSONDecodeError as error:
        raise ToolDefinitionError(
            f"this is not JSON ({error.msg})", file=path, line=error.lineno, mend="mend it"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise ToolDefinitionError(f"cannot be read ({error})", file=path, mend="check the file") from None
    if isinstance(rows, dict) and isinstance(rows.get("tools"), list):
        rows = rows["tools"]
    if not isinstance(rows, list) or not rows:
        mend = 'write [{"type": "function", "function": {"name", "description", "parameters"}}, …]'
        raise ToolDefinitionError("there is no list of tools in it", file=path, mend=mend)
    tools: dict[str, Tool] = {}
    for number, row in enumerate(rows, 1):
        tool = _tool(row, number, path)
        if tool.name in tools:
            raise ToolDefinitionError(f"two tools are named {tool.name}", file=path, mend="rename one")
        tools[tool.name] = tool
    return Toolbox(tools.values())


def _tool(row: Any, number: int, path: Path) -> Tool:
    import jsonschema_rs

    inner = row.get("function", row) if isinstance(row, dict) else None
    if not isinstance(inner, dict) or not isinstance(inner.get("name"), str):
        raise ToolDefinitionError(f"entry {number} has no name", file=path, mend='add "name"')
    name = inner["name"]
    if not NAME.fullmatch(name):
        mend = "use up to 64 letters, digits, '_', '-' and '.'"
        raise ToolDefinitionError(f"entry {number}: {name!r} is no name for a tool", file=path, mend=mend)
    if not isinstance(inner.get("description"), str) or not inner["description"].strip():
        mend = 'add "description": a model chooses by it'
        raise ToolDefinitionError(f"entry {number}: {name} has no description", file=path, mend=mend)
    parameters = inner.get("parameters") or {}
    if not isinstance(parameters, dict) or parameters.get("type", "object") != "object":
        mend = 'write {"type": "object", "properties": {…}}'
        raise ToolDefinitionError(f"{name}: its parameters are not an object", file=path, mend=mend)
    schema = {"type": "object", "properties": {}, "required": [], **parameters}
    try:
        jsonschema_rs.validator_for(schema)
    except (jsonschema_rs.ValidationError, ValueError) as error:
        said = str(error).splitlines()[0]
        raise ToolDefinitionError(
            f"{name}: its parameters are no JSON Schema ({said})", file=path, mend="mend the schema"
        ) from None
    return Tool(name, inner["description"], schema)

"""Reader for tools described in JSON lists. They have nothing to run, unless the file names ``sources``.

A list in OpenAI form is read strictly: it is the user's own, and what cannot be used in it is an error; what can be, a
tool without a description, is a remark that ``lint`` tells. Lists in the forms of others (xLAM, BFCL, ToolBench, MCP)
are taken as they are: what cannot be used becomes a remark, too.

``{"sources": ["impl.py", "api.yaml"], "tools": […]}`` binds a list to code: the tools of the sources with the same
names run its calls, and the words stay those of the list. Paths are relative to the list.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

from lamina.errors import ToolDefinitionError
from lamina.tools.described import described_in_full, described_tool
from lamina.tools.documents import LINES, load_document
from lamina.tools.json_shapes import described, entries, shape_of
from lamina.tools.plain_schemas import plain_schema
from lamina.tools.root_objects import NO_OBJECT, as_one_object
from lamina.tools.tool import JSON, Remark, Tool, Toolbox
from lamina.tools.validators import SchemaRefused, rule_problem, validator_for

NAME = re.compile(r"[a-zA-Z0-9_.-]{1,64}")


def claims(path: Path) -> bool:
    return path.suffix in (".json", LINES)


def read(path: Path) -> Toolbox:
    """``[{"type": "function", "function": {…}}, …]``, the bare inner objects, ``{"tools": […]}``, an MCP server's
    answer ``{"result": {"tools": […]}}``, or one of the shapes in ``json_shapes``; as JSON Lines, too.

    Raises ToolDefinitionError that names the entry at fault.
    """
    root = load_document(path)
    sources = root.get("sources") if isinstance(root, dict) else None
    rows = _rows(root)
    if not isinstance(rows, list) or not rows:
        mend = 'write [{"type": "function", "function": {"name", "description", "parameters"}}, …]'
        raise ToolDefinitionError("there is no list of tools in it", file=path, mend=mend)
    found = entries(rows)
    shapes = {shape_of(row) for _, row in found}
    plain = [row for _, row in found] == rows
    toolbox = _strict(rows, path) if plain and shapes <= {"openai", None} else _lenient(found, path)
    return _bound(toolbox, sources, path) if sources else toolbox


def _rows(root: Any) -> Any:
    if isinstance(root, dict) and isinstance(root.get("result"), dict) and "tools" in root["result"]:
        root = root["result"]  # an MCP server's answer to tools/list, as JSON-RPC wraps it
    if isinstance(root, dict) and isinstance(root.get("tools"), list) and "server_name" not in root:
        return root["tools"]
    if isinstance(root, dict) and ("api_list" in root or "tools" in root):
        return [root]
    return root


def _strict(rows: list[Any], path: Path) -> Toolbox:
    tools: dict[str, Tool] = {}
    remarks: list[Remark] = []
    for number, row in enumerate(rows, 1):
        tool, said = _tool(row, number, path)
        remarks += said
        if tool.name in tools:
            raise ToolDefinitionError(f"two tools are named {tool.name}", file=path, mend="rename one")
        tools[tool.name] = tool
    return Toolbox(tools.values(), remarks)


def _lenient(found: list[tuple[str, Any]], path: Path) -> Toolbox:
    tools: dict[str, Tool] = {}
    remarks: list[Remark] = []
    for where, row in found:
        if shape_of(row) is None:
            remarks.append(Remark(where, "malformed", "it is in none of the known shapes", dropped=True))
            continue
        tool, said = described_tool(described(row, where), tools)
        remarks += said
        if tool is not None:
            tools[tool.name] = tool
    if not tools:
        raise ToolDefinitionError(f"none of its {len(found)} entries can be a tool", file=path, mend="see the list")
    return Toolbox(tools.values(), remarks)


def _bound(toolbox: Toolbox, sources: Any, path: Path) -> Toolbox:
    """The tools of the list, run by the tools of the same names in ``sources`` (paths relative to the list)."""
    from lamina.tools.readers import read_tools

    if not isinstance(sources, list) or not all(isinstance(s, str) for s in sources):
        raise ToolDefinitionError('"sources" is not a list of paths', file=path, mend='write "sources": ["impl.py"]')
    places = [path.parent / s if not s.startswith("module:") else s for s in sources]
    if path.resolve() in [Path(p).resolve() for p in places]:
        raise ToolDefinitionError('"sources" names this file itself', file=path, mend="name the code")
    code = read_tools(places)
    tools, remarks = [], list(toolbox.remarks)
    for tool in toolbox:
        source = code.get(tool.name)
        if source is None:
            remarks.append(Remark(tool.name, "not_bound", f"none of the sources has {tool.name}: only described"))
            tools.append(tool)
            continue
        tools.append(
            dataclasses.replace(
                tool,
                target=source.target,
                examples=source.examples,
                category=tool.category or source.category,
                error_schema=source.error_schema if tool.error_schema is None else tool.error_schema,
            )
        )
    return Toolbox(tools, remarks, code.files)


def _tool(row: Any, number: int, path: Path) -> tuple[Tool, list[Remark]]:
    inner = row.get("function", row) if isinstance(row, dict) else None
    if not isinstance(inner, dict) or not isinstance(inner.get("name"), str):
        raise ToolDefinitionError(f"entry {number} has no name", file=path, mend='add "name"')
    name = inner["name"]
    if not NAME.fullmatch(name):
        mend = "use up to 64 letters, digits, '_', '-' and '.'"
        raise ToolDefinitionError(f"entry {number}: {name!r} is no name for a tool", file=path, mend=mend)
    said = inner.get("description")
    description = said if isinstance(said, str) and said.strip() else ""
    remarks: list[Remark] = []
    if not description:
        remarks.append(Remark(f"entry {number}", "no_description", f"{name} has no description"))
    parameters = inner.get("parameters") or {}
    try:
        schema = _schema(parameters)
    except SchemaRefused as error:
        if str(error) == NO_OBJECT:
            mend = 'write {"type": "object", "properties": {…}}'
            raise ToolDefinitionError(f"{name}: its parameters are not an object", file=path, mend=mend) from None
        raise ToolDefinitionError(
            f"{name}: its parameters are no JSON Schema ({error})", file=path, mend="mend the schema"
        ) from None
    schema, more = described_in_full(schema, name, f"entry {number}")
    rule = row.get("x-lamina-error", inner.get("x-lamina-error"))
    category = row.get("category") or inner.get("category") or ""
    if problem := rule_problem(rule):
        mend = "give the schema of a result that is an error, or false"
        raise ToolDefinitionError(f"{name}: x-lamina-error cannot be used: {problem}", file=path, mend=mend)
    return Tool(name, description or name, schema, None, (), str(category), rule), [*remarks, *more]


def _schema(parameters: Any) -> JSON:
    """Raises SchemaRefused."""
    if not isinstance(parameters, dict):
        raise SchemaRefused(NO_OBJECT)
    validator_for(parameters)
    return {"type": "object", "properties": {}, "required": [], **as_one_object(plain_schema(parameters))}

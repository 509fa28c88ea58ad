"""Tools as signatures, one line each: prompt style ``compact``. A schema's words cost most of a phone's time to the
first token; a signature keeps names, types, choices and defaults, and the first sentence of what the tool does."""

from __future__ import annotations

import json
from typing import Any

from lamina.tools import Tool, Toolbox
from lamina.tools.tool import JSON

DEEPEST = 3
"""Objects inside objects that are written out; below, ``object``."""


def signatures(tools: Toolbox) -> str:
    return "\n".join(signature(tool) for tool in tools)


def signature(tool: Tool) -> str:
    """``split_bill(total: number, people: integer, tip_percent: number = 0): Splits a bill.``"""
    said = tool.description.strip().split("\n", 1)[0].split(". ", 1)[0].strip()
    arguments = _members(tool.parameters, DEEPEST)
    return f"{tool.name}({arguments})" + (f": {said}" if said else "")


def _members(schema: JSON, depth: int) -> str:
    required = schema.get("required", [])
    return ", ".join(
        _member(name, inner, name in required, depth) for name, inner in schema.get("properties", {}).items()
    )


def _member(name: str, schema: JSON, required: bool, depth: int) -> str:
    """A default says that the argument may be left out; without one it takes a question mark."""
    if "default" in schema and not required:
        return f"{name}: {_kind(schema, depth)} = {_text(schema['default'])}"
    return f"{name}{'' if required else '?'}: {_kind(schema, depth)}"


def _kind(schema: JSON, depth: int) -> str:
    if "enum" in schema:
        return "|".join(_text(value) for value in schema["enum"])
    if members := schema.get("anyOf") or schema.get("oneOf"):
        return "|".join(_kind(member, depth) for member in members)
    kind = schema.get("type", "any")
    if isinstance(kind, list):
        return "|".join(kind)
    if kind == "array" and isinstance(schema.get("items"), dict):
        return f"[{_kind(schema['items'], depth)}]"
    if kind == "object" and schema.get("properties") and depth:
        return "{" + _members(schema, depth - 1) + "}"
    form = schema.get("format")
    return f"{kind} {form}" if isinstance(form, str) else str(kind)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)

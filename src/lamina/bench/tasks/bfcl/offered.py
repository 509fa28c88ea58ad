"""A row's functions as tools: the leaderboard's type names become JSON Schema, for prompts and constraints.

As the leaderboard does it: ``any`` is a string, a tuple an array; every argument of a Java or JavaScript function is
a string of source text, and its description says of which type."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from lamina.bench.tasks.bfcl.categories import Language
from lamina.tools import Tool, Toolbox
from lamina.tools.tool import JSON

SCHEMA_TYPES = {
    "integer": "integer",
    "number": "number",
    "float": "number",
    "string": "string",
    "boolean": "boolean",
    "bool": "boolean",
    "array": "array",
    "list": "array",
    "tuple": "array",
    "dict": "object",
    "object": "object",
}
"""Anything else, ``any`` among it, is a string."""
_KEPT = ("enum", "minimum", "maximum", "minItems", "maxItems", "pattern")
_SPOKEN = {"java": "Java 8", "javascript": "JavaScript"}


def offered_tools(functions: Sequence[JSON], language: Language) -> Toolbox:
    return Toolbox(_tool(function, language) for function in functions)


def _tool(function: JSON, language: Language) -> Tool:
    declared = function["parameters"]
    properties = declared.get("properties", {})
    schemas = {
        name: _schema(schema) if language == "python" else _source_schema(schema, language)
        for name, schema in properties.items()
    }
    required = [name for name in declared.get("required", []) if name in properties]
    parameters = {"type": "object", "properties": schemas, "required": required}
    return Tool(function["name"], function.get("description", ""), parameters)


def _schema(declared: JSON) -> JSON:
    kind = SCHEMA_TYPES.get(str(declared.get("type")), "string")
    schema: JSON = {"type": kind}
    if declared.get("description"):
        schema["description"] = declared["description"]
    schema |= {key: declared[key] for key in _KEPT if key in declared and _fits(kind, key, declared[key])}
    if kind == "array" and isinstance(declared.get("items"), dict):
        schema["items"] = _schema(declared["items"])
    if kind == "object" and isinstance(declared.get("properties"), dict):
        schema["properties"] = {name: _schema(inner) for name, inner in declared["properties"].items()}
        schema["required"] = [name for name in declared.get("required", []) if name in schema["properties"]]
    if "default" in declared:
        schema["default"] = declared["default"]
    return schema


def _fits(kind: str, key: str, value: Any) -> bool:
    """Some rows declare an enum for a list's elements on the list, or bounds as text."""
    if key == "enum":
        return kind not in ("array", "object") and isinstance(value, list) and bool(value)
    if key == "pattern":
        return kind == "string" and isinstance(value, str)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _source_schema(declared: JSON, language: Language) -> JSON:
    spoken = _SPOKEN[language]
    said = str(declared.get("description", "")).rstrip()
    kind = declared.get("type", "any")
    note = f"{spoken} source text of any type." if kind == "any" else f"{spoken} source text of type {kind}."
    if isinstance(declared.get("items"), dict) and "type" in declared["items"]:
        note += f" Its elements are of type {declared['items']['type']}."
    if isinstance(declared.get("properties"), dict):
        note += f" Its members: {json.dumps(declared['properties'], ensure_ascii=False)}."
    return {"type": "string", "description": f"{said} {note}".strip()}

"""One entry of a JSON list, in whichever shape it is written: OpenAI, xLAM/APIGen, BFCL, ToolBench, MCP.

What each shape says is turned into ``Described``; nothing of it is executable by itself.
"""

from __future__ import annotations

import json
import re
from typing import Any

from lamina.tools.described import TYPES, Described
from lamina.tools.tool import JSON
from lamina.tools.validators import validator_for

ROOT_KEYS = {"type", "properties", "additionalProperties", "$ref", "allOf", "anyOf", "oneOf"}
"""One of which a JSON Schema of arguments has; xLAM's flat table of arguments has none, but for an argument's name."""


def entries(rows: list[Any]) -> list[tuple[str, Any]]:
    """(where, entry) of every tool in a list: a list of tools, of ToolBench's ``api_list`` objects, of MCP servers with
    their tools (LiveMCPBench's form), or of BFCL's rows with their functions, which several rows may share."""
    found: list[tuple[str, Any]] = []
    seen: set[str] = set()
    for number, row in enumerate(rows, 1):
        if isinstance(row, dict) and isinstance(row.get("api_list"), list):
            about = {k: row[k] for k in ("tool_name", "category_name", "category", "tool_description") if k in row}
            found += [
                (f"entry {number}, api {i}", {**about, **_object(api)}) for i, api in enumerate(row["api_list"], 1)
            ]
        elif isinstance(row, dict) and isinstance(row.get("function"), list):
            for i, one in enumerate(row["function"], 1):
                if (said := json.dumps(one, sort_keys=True)) not in seen:
                    seen.add(said)
                    found.append((f"entry {number}, function {i}", one))
        elif isinstance(row, dict) and isinstance(row.get("tools"), dict | list):
            found += _servers(row, number)
        else:
            found.append((f"entry {number}", row))
    return found


def _servers(row: JSON, number: int) -> list[tuple[str, Any]]:
    tools = row["tools"]
    if isinstance(tools, list):
        tools = {str(row.get("server_name") or row.get("name") or f"entry {number}"): {"tools": tools}}
    found = []
    for server, listed in tools.items():
        about = {"category": row.get("category") or server, "server": str(server)}
        inner = listed.get("tools") if isinstance(listed, dict) else listed
        for i, tool in enumerate(inner if isinstance(inner, list) else [], 1):
            name = tool.get("name") if isinstance(tool, dict) else None
            found.append((f"{server}/{name or i}", {**about, **tool} if isinstance(tool, dict) else tool))
    return found


def _object(value: Any) -> JSON:
    return value if isinstance(value, dict) else {}


def shape_of(row: Any) -> str | None:
    """``openai``, ``xlam``, ``bfcl``, ``toolbench`` or ``mcp``; None for what is none of them."""
    if not isinstance(row, dict):
        return None
    if isinstance(row.get("required_parameters"), list) or isinstance(row.get("optional_parameters"), list):
        return "toolbench"
    if "inputSchema" in row or "input_schema" in row:
        return "mcp"
    inner = row.get("function", row)
    if not isinstance(inner, dict) or "name" not in inner:
        return None
    parameters = inner.get("parameters")
    if isinstance(parameters, dict) and parameters:
        if parameters.get("type") == "dict":
            return "bfcl"
        if not ROOT_KEYS & set(parameters) or _is_flat(parameters):
            return "xlam"
    return "openai"


def _is_flat(parameters: JSON) -> bool:
    """Every value describes an argument, ``type`` and ``properties`` too, should arguments be named so."""
    return all(isinstance(v, dict) and "type" in v and isinstance(v["type"], str) for v in parameters.values())


def described(row: JSON, where: str) -> Described:
    """``row`` as its shape reads it. The caller has asked ``shape_of``."""
    shape = shape_of(row)
    category = row.get("category") if isinstance(row.get("category"), str) else ""
    rule = row.get("x-lamina-error")
    if shape == "toolbench":
        return _toolbench(row, where)
    if shape == "mcp":
        schema = row.get("inputSchema", row.get("input_schema"))
        prefix = str(row.get("server") or "")
        return Described(row.get("name"), row.get("description"), schema, where, category or "", prefix, rule)
    inner = row.get("function", row)
    schema = inner.get("parameters")
    if shape == "xlam":
        schema = _flat(schema, inner.get("required"))
    found = category or inner.get("category")
    return Described(
        inner.get("name"),
        inner.get("description"),
        schema,
        where,
        found if isinstance(found, str) else "",
        "",
        rule,
    )


def _flat(parameters: JSON, listed: Any = None) -> JSON:
    """xLAM's ``{"city": {"type": "str, optional", "description", "default"}}``. What its type does not call optional is
    required, also where a default stands beside it: that is the value which the API's page shows, and in all 21 calls
    of xLAM's own rows at hand the argument is given (arXiv 2406.18518 has no word on it). ``listed``, a list of names,
    and marks of one's own on an argument (``"required": false``) say it instead where there are any."""
    properties: JSON = {}
    required = []
    for name, said in parameters.items():
        said = said if isinstance(said, dict) else {"description": str(said)}
        schema, optional = python_type(str(said.get("type", "")))
        if isinstance(listed, list):
            optional = name not in listed
        elif isinstance(mark := said.get("required", not said.get("optional", optional)), bool):
            optional = not mark
        more = {k: said[k] for k in ("description", "enum") if said.get(k)}
        if said.get("default") not in (None, ""):
            more |= {"default": said["default"]} if optional else _shown(said["default"], schema)
        properties[name] = {**schema, **more}
        if not optional:
            required.append(name)
    return {"type": "object", "properties": properties, "required": required}


def _shown(value: Any, schema: JSON) -> JSON:
    """``value`` as an example; nothing where it is of another type than the argument ("int", and 46.95 beside it)."""
    typed = _as_typed(value, schema.get("type"))
    return {"examples": [typed]} if validator_for(schema).is_valid(typed) else {}


LONGEST_TYPE = 400
"""Characters of a type in Python's words; what is longer, such as lists of lists without end, is any value."""


def python_type(text: str) -> tuple[JSON, bool]:
    """``List[int], optional`` as (schema, whether it is optional). What is unknown is any value."""
    if len(text) > LONGEST_TYPE:
        return {}, bool(re.search(r",\s*optional\s*$", text, re.IGNORECASE))
    optional = bool(re.search(r",\s*optional\b", text, re.IGNORECASE))
    word = re.sub(r",\s*(optional|default.*)\b.*$", "", text, flags=re.IGNORECASE).strip()
    found = re.fullmatch(r"(?:typing\.)?Optional\[(.*)\]", word, re.IGNORECASE)
    if found:
        return python_type(found[1])[0], True
    union = re.fullmatch(r"(?:typing\.)?Union\[(.*)\]", word, re.IGNORECASE)
    parts = _split(union[1]) if union else [p.strip() for p in word.split("|")]
    if len(parts) > 1:
        schemas = [python_type(p)[0] for p in parts if p.lower() not in ("none", "null")]
        return (schemas[0] if len(schemas) == 1 else {"anyOf": schemas}), optional or len(schemas) < len(parts)
    name, _, inner = word.partition("[")
    kind = TYPES.get(name.strip().lower().removeprefix("typing."))
    if kind is None:
        return {}, optional
    if kind == "array" and inner.endswith("]"):
        first = _split(inner[:-1])[0] if inner[:-1].strip() else ""
        items = python_type(first)[0]
        return {"type": "array", **({"items": items} if items else {})}, optional
    return {"type": kind}, optional


def _split(text: str) -> list[str]:
    """At the commas that stand in no bracket."""
    parts, depth = [""], 0
    for character in text:
        depth += (character == "[") - (character == "]")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [p.strip() for p in parts]


def _toolbench(row: JSON, where: str) -> Described:
    """ToolBench names a tool ``api_for_tool``; parameters are lists, and an empty default is none."""
    api, tool = str(row.get("api_name") or row.get("name") or ""), str(row.get("tool_name") or row.get("title") or "")
    properties: JSON = {}
    required = []
    for key in ("required_parameters", "optional_parameters"):
        for said in row[key] if isinstance(row.get(key), list) else ():
            if not isinstance(said, dict) or not isinstance(said.get("name"), str):
                continue
            schema = {k: v for k, v in python_type(str(said.get("type", "")))[0].items()}
            if said.get("description"):
                schema["description"] = str(said["description"])
            if said.get("default") not in (None, ""):
                # what a RapidAPI page shows as an example, written as text whatever the type
                schema |= _shown(said["default"], schema)
            properties[said["name"]] = schema
            if key == "required_parameters":
                required.append(said["name"])
    name = f"{api}_for_{tool}".lower() if tool and api else api
    text = str(row.get("api_description") or row.get("description") or "")
    category = str(row.get("category_name") or row.get("category") or "")
    schema = {"type": "object", "properties": properties, "required": required}
    return Described(name, text, schema, where, category)


def _as_typed(value: Any, kind: Any) -> Any:
    if not isinstance(value, str) or kind not in ("integer", "number", "boolean"):
        return value
    try:
        if kind == "boolean":
            return {"true": True, "false": False}[value.lower()]
        return int(value) if kind == "integer" or float(value).is_integer() else float(value)
    except (ValueError, KeyError, OverflowError):
        return value

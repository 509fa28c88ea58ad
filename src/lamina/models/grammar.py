"""What a model may write: the JSON Schema and the llguidance grammar of an array of calls to given tools. The same
grammar text constrains llama.cpp and Transformers, so that both can be compared call by call."""

from __future__ import annotations

import json
from typing import Any

from lamina.tools import Toolbox

MAX_CALLS = 4
_UNSUPPORTED = ("default", "examples", "title", "description", "uniqueItems", "contentEncoding", "deprecated")
_FORMATS = ("date", "email", "uuid", "ipv4", "ipv6", "hostname", "uri")


def calls_schema(toolbox: Toolbox, max_calls: int = MAX_CALLS) -> dict[str, Any]:
    """An array of 0 to ``max_calls`` objects ``{"name", "arguments"}``; ``[]`` means: no call."""
    calls = [
        {
            "type": "object",
            "properties": {"name": {"const": t.name}, "arguments": _plain(t.parameters)},
            "required": ["name", "arguments"],
            "additionalProperties": False,
        }
        for t in toolbox
    ]
    if not calls:
        return {"type": "array", "maxItems": 0}
    return {"type": "array", "items": {"anyOf": calls}, "maxItems": max_calls}


def calls_grammar(toolbox: Toolbox, max_calls: int = MAX_CALLS) -> str:
    """The llguidance grammar of ``calls_schema``: what is sent to every backend that can constrain."""
    return json_grammar(calls_schema(toolbox, max_calls))


def json_grammar(schema: dict[str, Any]) -> str:
    """A Lark grammar of llguidance: JSON of this schema, separators ``", "`` and ``": "``, no other white space."""
    guidance = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
    return "start: %json " + json.dumps({**schema, "x-guidance": guidance}, ensure_ascii=False)


def _plain(schema: Any) -> Any:
    """The schema without what constrains nothing or what llguidance refuses; Tool.problems still checks all."""
    if isinstance(schema, list):
        return [_plain(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    kept: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "properties":
            kept[key] = {name: _plain(sub) for name, sub in value.items()}
        elif key in ("enum", "const", "required"):
            kept[key] = value
        elif key in _UNSUPPORTED or (key == "format" and value not in _FORMATS):
            continue
        else:
            kept[key] = _plain(value)
    return kept

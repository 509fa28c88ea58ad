"""Schemas that a validator takes: patterns of another regex dialect are left out, and that is said."""

from __future__ import annotations

from typing import Any

from lamina.tools.openapi.unusable import Unusable
from lamina.tools.tool import JSON, Remark
from lamina.tools.validators import SchemaRefused, validator_for


def compiling(schema: JSON, where: str, remarks: list[Remark]) -> JSON:
    """``schema``, without its patterns where those are of another regex dialect. Raises Unusable for what no
    validator takes."""
    try:
        validator_for(schema)
        return schema
    except SchemaRefused:
        plain = _without_patterns(schema)
    try:
        validator_for(plain)
    except SchemaRefused as error:
        raise Unusable("bad_schema", f"its schema is no JSON Schema ({error})") from None
    remarks.append(Remark(where, "pattern_dropped", "its patterns are of another dialect and were left out"))
    assert isinstance(plain, dict)
    return plain


def _without_patterns(node: Any, inside_names: bool = False) -> Any:
    if isinstance(node, list):
        return [_without_patterns(n) for n in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _without_patterns(value, key in ("properties", "$defs"))
        for key, value in node.items()
        if inside_names or (not (key == "pattern" and isinstance(value, str)) and key != "patternProperties")
    }

"""A schema as whoever draws values reads it: references within the tool's schema are followed, ``allOf`` is put
together, and of a choice the first branch counts that is not null."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from lamina.tools.tool import JSON

DEEPEST = 6
"""References and branches that are followed one into the other."""
_INTO_ONE = ("$ref", "allOf", "anyOf", "oneOf")
_LARGEST = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_LEAST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")


def plain_schema(schema: Any, root: JSON, depth: int = 0) -> JSON:
    """``schema`` without ``$ref``, ``allOf``, ``anyOf`` and ``oneOf`` at its top, and of one type. ``root`` is the
    whole schema, in which references are looked up. What says nothing (``true``, a reference that leads nowhere or
    round in a circle) is ``{}``."""
    if not isinstance(schema, dict) or depth > DEEPEST:
        return {}
    merged = {key: value for key, value in schema.items() if key not in _INTO_ONE}
    parts = [_pointed(root, schema["$ref"])] if "$ref" in schema else []
    parts += _listed(schema.get("allOf"))
    for key in ("anyOf", "oneOf"):
        branches = [b for b in _listed(schema.get(key)) if not isinstance(b, dict) or b.get("type") != "null"]
        if len(branches) > 1 and all(isinstance(b, dict) and "const" in b for b in branches):
            parts.append({"enum": [b["const"] for b in branches]})
        else:
            parts += branches[:1]
    for part in parts:
        merged = _both(plain_schema(part, root, depth + 1), merged)
    return _of_one_type(merged)


def examples_in(schema: JSON) -> list[Any]:
    """Values that the schema itself shows: ``examples``, also as OpenAPI names them, and ``example``."""
    shown = schema.get("examples")
    if isinstance(shown, dict):
        shown = [one["value"] for one in shown.values() if isinstance(one, dict) and "value" in one]
    return [*_listed(shown), *([schema["example"]] if "example" in schema else [])]


def count_in(schema: JSON, key: str, otherwise: int) -> int:
    """A number of characters or items; ``2.0`` is one, too."""
    value = schema.get(key)
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else otherwise


def _of_one_type(schema: JSON) -> JSON:
    kind = schema.get("type")
    if isinstance(kind, list):
        return {**schema, "type": next((k for k in kind if k != "null"), "null")}
    if kind is None and "properties" in schema:
        return {**schema, "type": "object"}
    if kind is None and ("items" in schema or "prefixItems" in schema):
        return {**schema, "type": "array"}
    return schema


def _both(inner: JSON, outer: JSON) -> JSON:
    """What fits both; words and defaults are the outer's, where it has any."""
    merged = {**inner, **{key: value for key, value in outer.items() if key != "description" or value}}
    for key in inner.keys() & outer.keys():
        a, b = inner[key], outer[key]
        if key == "properties" and isinstance(a, dict) and isinstance(b, dict):
            merged[key] = a | b | {name: {"allOf": [a[name], b[name]]} for name in a.keys() & b.keys()}
        elif key == "required":
            merged[key] = list(dict.fromkeys([*_listed(a), *_listed(b)]))
        elif key == "enum":
            merged[key] = [value for value in _listed(a) if value in _listed(b)]
        elif key in _LARGEST and _is_number(a) and _is_number(b):
            merged[key] = max(a, b)
        elif key in _LEAST and _is_number(a) and _is_number(b):
            merged[key] = min(a, b)
    return merged


def _pointed(root: JSON, reference: Any) -> Any:
    """What a JSON Pointer of this schema leads to; ``{}`` for any other reference."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        return {}
    found: Any = root
    for part in unquote(reference[1:]).split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        found = found.get(key, {}) if isinstance(found, dict) else {}
    return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

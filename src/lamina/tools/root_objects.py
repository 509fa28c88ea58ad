"""The schema of a tool's arguments as one object that lists them: what its root names, joins or offers, in one.

A tool that lists no argument refuses every name, so a root that is a ``$ref`` or ``allOf`` would make a tool that
nobody can call.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import Any
from urllib.parse import unquote

from lamina.tools.plain_schemas import JSON
from lamina.tools.validators import SchemaRefused

MOST_HOPS = 30
MOST_PARTS = 2_000
"""References followed, for a few that each double what they refer to never end."""
NO_OBJECT = "it is no object"
ELSEWHERE = ("$ref", "allOf", "anyOf", "oneOf")
TABLES = ("properties", "patternProperties", "dependentSchemas", "$defs", "definitions")
TOGETHER = (("if", "then", "else"), ("contains", "minContains", "maxContains"))
"""Keys that mean something beside each other alone."""

UNSAID = ("type", "additionalProperties", "allOf", "description", "title", "$id", "$schema")
"""Keys of which the outer's stand alone, or that are put together elsewhere."""


def as_one_object(schema: JSON) -> JSON:
    """``schema`` itself where its root only lists properties. ``anyOf`` and ``oneOf`` stay beside the arguments of all
    their branches, for they still say which go together.

    Raises SchemaRefused for a reference that leads nowhere or round in a circle, and for what is no object."""
    found = schema
    if any(schema.get(key) for key in ELSEWHERE):
        found = _put_together(schema, schema, 0, iter(range(MOST_PARTS)))
    if not _is_object(found):
        raise SchemaRefused(NO_OBJECT)
    return {**found, "type": "object"} if isinstance(found.get("type"), list) else found


def undescribed(schema: JSON) -> list[str]:
    """Names that are required and neither listed nor let pass: nobody could call the tool."""
    others = schema.get("additionalProperties")
    open_to_others = others is True or isinstance(others, dict)
    return [] if open_to_others else [n for n in schema["required"] if n not in schema["properties"]]


def _is_object(schema: JSON) -> bool:
    kinds = schema.get("type", "object")
    return kinds == "object" or (isinstance(kinds, list) and "object" in kinds)


def _put_together(node: Any, root: JSON, hops: int, left: Iterator[int]) -> JSON:
    if hops > MOST_HOPS:
        raise SchemaRefused(f"its root refers on more than {MOST_HOPS} times")
    if next(left, None) is None:
        raise SchemaRefused(f"its root is put together of more than {MOST_PARTS:,} parts")
    if not isinstance(node, dict):
        return {}
    own = {key: value for key, value in node.items() if key not in ELSEWHERE}
    parts = [_pointed(root, node["$ref"])] if isinstance(node.get("$ref"), str) else []
    parts += _listed(node.get("allOf"))
    found = reduce(_both, [*(_put_together(part, root, hops + 1, left) for part in parts), own])
    for key in ("anyOf", "oneOf"):
        if branches := [_put_together(one, root, hops + 1, left) for one in _listed(node.get(key))]:
            found = _offering(found, key, branches)
    return found


def _offering(found: JSON, key: str, branches: list[JSON]) -> JSON:
    """``found`` with the arguments of all branches; those that are no objects are left out, for arguments are one."""
    objects = [one for one in branches if _is_object(one)]
    if not objects:
        raise SchemaRefused(NO_OBJECT)
    if len(objects) == 1:
        return _both(objects[0], found)
    offered: dict[str, list[Any]] = {}
    for one in objects:
        for name, schema in _table(one, "properties").items():
            schemas = offered.setdefault(name, [])
            schemas += [schema] if schema not in schemas else []
    chosen = {name: each[0] if len(each) == 1 else {"anyOf": each} for name, each in offered.items()}
    needed = [n for n in _listed(objects[0].get("required")) if all(n in _listed(o.get("required")) for o in objects)]
    outer: JSON = {"properties": {**chosen, **_table(found, "properties")}}
    outer["required"] = list(dict.fromkeys([*_listed(found.get("required")), *needed]))
    opened = [one["additionalProperties"] for one in objects if one.get("additionalProperties", False) is not False]
    if opened and "additionalProperties" not in found:
        outer["additionalProperties"] = True  # which branch is whose is for the branches to say
    return _both(found, {**outer, key: objects})


def _both(inner: JSON, outer: JSON) -> JSON:
    """What fits both; words are the outer's. A part that is closed to other names than its own is not closed to those
    of the part beside it: nothing would fit, and nobody means that."""
    beside = [*_listed(inner.get("allOf")), *_listed(outer.get("allOf"))]
    for keys in TOGETHER:
        part = {key: inner[key] for key in keys if key in inner}
        if part and any(key in outer for key in keys):
            beside.append(part)
            inner = {key: value for key, value in inner.items() if key not in part}
    merged = {**inner, **outer}
    for key, a in inner.items():
        if key not in outer:
            continue
        b = outer[key]
        if key in TABLES and isinstance(a, dict) and isinstance(b, dict):
            twice = [] if key in ("$defs", "definitions") else [n for n in a if n in b and a[n] != b[n]]
            merged[key] = a | b | {n: {"allOf": [a[n], b[n]]} for n in twice}
        elif key == "required":
            merged[key] = list(dict.fromkeys([*_listed(a), *_listed(b)]))
        elif key not in UNSAID and a != b:
            beside.append({key: a})
    return {**merged, "allOf": beside} if beside else merged


def _pointed(root: JSON, reference: str) -> Any:
    if not reference.startswith("#"):
        raise SchemaRefused(f"it refers to {reference[:200]}, which is outside of it and is not read")
    found: Any = root
    for part in unquote(reference[1:]).split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, dict) or key not in found:
            raise SchemaRefused(f"{reference[:200]} leads nowhere")
        found = found[key]
    return found


def _table(node: JSON, key: str) -> dict[str, Any]:
    found = node.get(key)
    return found if isinstance(found, dict) else {}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []

"""Choices between schemas: which of them a ``discriminator`` names, what ``oneOf`` means, and null as one more."""

from __future__ import annotations

from typing import Any

from lamina.tools.openapi.document import Document, as_list, as_object, name_of
from lamina.tools.tool import JSON

NULL: JSON = {"type": "null"}
DESCRIBING = {"type", "properties", "enum", "const", "items", "$ref", "allOf", "anyOf", "oneOf"}
BESIDE = ("description", "default", "examples")


def told_apart(document: Document, schema: JSON, key: str, branches: list[JSON]) -> list[JSON]:
    """The converted ``branches`` of ``schema[key]``, each with the value that chooses it on the property of the
    discriminator: a model reads, and a validator holds, what OpenAPI says in a place of its own."""
    return [_chosen(document, schema, raw, branch) for raw, branch in zip(schema[key], branches, strict=True)]


def _chosen(document: Document, schema: JSON, raw: Any, branch: JSON) -> JSON:
    ref = raw.get("$ref") if isinstance(raw, dict) else None
    if not isinstance(ref, str):
        return branch  # a discriminator names schemas, and this one has no name
    said = _discriminator(schema) or _inherited(document, ref, {ref})
    name = said.get("propertyName")
    if not isinstance(name, str) or not (_describes(branch, name) or name in as_object(schema.get("properties"))):
        return branch  # it is in the wrong place, and no value could have it
    before = as_object(branch.get("properties", {}).get(name))
    if before.get("type", "string") != "string":
        return branch
    values = _values(as_object(said.get("mapping")), ref)
    if own := as_list(before.get("enum")) or [before[k] for k in ("const",) if k in before]:
        values = [value for value in values if value in own] or own  # the branch says it itself
    rest = {k: v for k, v in before.items() if k not in ("enum", "const", "default", "examples")}
    marked = {**rest, **({"const": values[0]} if len(values) == 1 else {"enum": values})}
    required = list(dict.fromkeys([*branch.get("required", []), name]))
    return {**branch, "properties": {**branch.get("properties", {}), name: marked}, "required": required}


def _discriminator(schema: JSON) -> JSON:
    said = as_object(schema.get("discriminator"))
    return said if isinstance(said.get("propertyName"), str) else {}


def _inherited(document: Document, ref: str, seen: set[str]) -> JSON:
    """The discriminator of a schema that this one is built on with ``allOf``."""
    for part in as_list(as_object(document.follow({"$ref": ref})).get("allOf")):
        base = part.get("$ref") if isinstance(part, dict) else None
        if not isinstance(base, str) or base in seen:
            continue
        seen.add(base)
        if found := _discriminator(as_object(document.follow(part))) or _inherited(document, base, seen):
            return found
    return {}


def _values(mapping: JSON, ref: str) -> list[str]:
    """The keys that lead to a schema, by its reference or its name; without any its name."""
    name = name_of(ref)
    return [str(key) for key, to in mapping.items() if to in (ref, name)] or [name]


def _describes(branch: JSON, name: str) -> bool:
    """A reference (to what holds itself) is taken to."""
    return (
        "$ref" in branch
        or name in branch.get("properties", {})
        or any(_describes(part, name) for part in branch.get("allOf", ()))
    )


def as_any_of(found: JSON) -> JSON:
    """``oneOf`` between kinds of values as ``anyOf``. Authors mean a choice by it; taken by the letter a value of one
    open object is refused because another, all of whose fields are optional, would take it too, and no caller can help
    that. Bare demands (``{"required": ["id"]}``, else ``{"required": ["name"]}``) do exclude each other and stay."""
    branches = found.get("oneOf", [])
    if not branches or "anyOf" in found or not all(DESCRIBING & set(branch) for branch in branches):
        return found
    return {"anyOf" if key == "oneOf" else key: value for key, value in found.items()}


def or_null(schema: JSON) -> JSON:
    """What fits ``schema``, and null."""
    if not set(schema) & {"allOf", "anyOf", "oneOf", "$ref", "not", "const"}:
        found, kinds = dict(schema), schema.get("type", [])
        kinds = kinds if isinstance(kinds, list) else [kinds]
        if kinds and "null" not in kinds:
            found["type"] = [*kinds, "null"]
        if "enum" in found and None not in found["enum"]:
            found["enum"] = [*found["enum"], None]
        return found
    outer = {key: schema[key] for key in BESIDE if key in schema}
    inner = {key: value for key, value in schema.items() if key not in BESIDE}
    branches = inner["anyOf"] if set(inner) == {"anyOf"} else [inner]
    return {**outer, "anyOf": branches if NULL in branches else [*branches, NULL]}


def without_null(schema: JSON) -> JSON:
    """The inverse, for a place where null means that there is nothing."""
    kinds = schema.get("type")
    if isinstance(kinds, list) and len(kinds) == 2 and "null" in kinds and "enum" not in schema:
        return {**schema, "type": next(kind for kind in kinds if kind != "null")}
    branches = [branch for branch in schema.get("anyOf", []) if branch != NULL]
    if len(branches) == 1 and len(branches) < len(schema["anyOf"]) and set(schema) <= {"anyOf", *BESIDE}:
        return {**branches[0], **{key: schema[key] for key in BESIDE if key in schema}}
    return schema

"""One way to write what JSON Schema lets be written in several, so that whoever reads a schema need know one alone."""

from __future__ import annotations

from typing import Any

JSON = dict[str, Any]

COUNTS = frozenset(f"{most}{what}" for most in ("min", "max") for what in ("Length", "Items", "Properties", "Contains"))
BY_NAME = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
SEVERAL = frozenset({"anyOf", "oneOf", "allOf", "prefixItems", "items"})
ONE = frozenset({"items", "contains", "propertyNames", "not", "if", "then", "else"})
CLOSING = frozenset({"additionalProperties", "unevaluatedProperties", "additionalItems", "unevaluatedItems"})
"""Where true and false are the usual form: they stay."""


def plain_schema(node: Any) -> Any:
    """A copy that means the same: ``true`` and ``false`` for a schema as ``{}`` and ``{"not": {}}``, counts written 3.0
    as 3. Raises RecursionError for what is nested too deep."""
    if isinstance(node, bool):
        return {} if node else {"not": {}}
    if not isinstance(node, dict):
        return node
    return {key: _plain_value(key, value) for key, value in node.items()}


def _plain_value(key: str, value: Any) -> Any:
    if key in BY_NAME and isinstance(value, dict):
        return {name: plain_schema(part) for name, part in value.items()}
    if key in SEVERAL and isinstance(value, list):
        return [plain_schema(part) for part in value]
    if key in ONE or (key in CLOSING and isinstance(value, dict)):
        return plain_schema(value)
    return plain_count(value) if key in COUNTS else value


def sound_schema(node: Any) -> JSON:
    """As ``plain_schema``, of a schema that somebody else wrote: what stands where a schema, a table of them or a list
    of names should, and is none, says nothing, and is left out."""
    if isinstance(node, bool):
        return {} if node else {"not": {}}
    if not isinstance(node, dict):
        return {}
    found: JSON = {}
    for key, value in node.items():
        if key in BY_NAME and isinstance(value, dict):
            found[key] = {name: sound_schema(part) for name, part in value.items()}
        elif key in SEVERAL and isinstance(value, list):
            found[key] = [sound_schema(part) for part in value]
        elif key == "required" and isinstance(value, list):
            found[key] = [name for name in value if isinstance(name, str)]
        elif key in ONE or (key in CLOSING and isinstance(value, dict)):
            found[key] = sound_schema(value)
        elif (key not in BY_NAME | SEVERAL | {"required", "$ref"}) or (key == "$ref" and isinstance(value, str)):
            found[key] = plain_count(value) if key in COUNTS else value
    return found


def plain_count(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value

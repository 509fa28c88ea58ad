"""Schemas of OpenAPI 2.0 and 3.x as one plain JSON Schema (2020-12): references inlined, cycles kept as ``$defs``.

The dialects differ in small ways: ``nullable``, a boolean ``exclusiveMinimum``, ``example``, ``type: file``. What
only concerns responses or a renderer (``readOnly`` fields, ``xml``, ``x-…``) is left out; ``choices`` has the rest.
"""

from __future__ import annotations

import json
from typing import Any

from lamina.tools.openapi.choices import as_any_of, or_null, told_apart
from lamina.tools.openapi.document import Document, as_list, as_object, name_of
from lamina.tools.openapi.shown_values import typed_choices, with_fitting_examples
from lamina.tools.openapi.unfolding import DocumentTooLarge
from lamina.tools.openapi.unusable import Unusable
from lamina.tools.plain_schemas import plain_count
from lamina.tools.tool import JSON

MOST_NODES = 20_000
"""Of one operation's schema, references inlined: more is no tool that a model could be shown."""

TYPES = ("string", "integer", "number", "boolean", "array", "object", "null")
OTHER_TYPES = {
    "int": "integer", "int32": "integer", "int64": "integer", "long": "integer", "float": "number",
    "double": "number", "decimal": "number", "bool": "boolean", "str": "string", "text": "string",
    "date": "string", "datetime": "string", "dict": "object", "map": "object", "list": "array", "tuple": "array",
}  # fmt: skip
NUMBERS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "multipleOf")
ONE = (
    "not",
    "additionalProperties",
    "items",
    "contains",
    "propertyNames",
    "if",
    "then",
    "else",
    "unevaluatedProperties",
)
SEVERAL = ("allOf", "anyOf", "oneOf", "prefixItems")
BY_NAME = ("properties", "patternProperties", "dependentSchemas")


class Converter:
    """Converts the schemas of one operation. ``defs`` holds the recursive ones afterwards."""

    def __init__(self, document: Document):
        self._document = document
        self._unfolding = document.unfolding
        self._left = MOST_NODES
        self._names: dict[str, str] = {}
        self.defs: JSON = {}

    def convert(self, schema: Any) -> JSON:
        """Raises Unusable for what leads nowhere, is binary, or is too large."""
        converted = self._convert(schema, ())
        while len(self.defs) < len(self._names):
            for ref, name in list(self._names.items()):
                if name not in self.defs:
                    self.defs[name] = self._convert(self._document.at(ref), (ref,))
        return converted

    def _convert(self, schema: Any, trail: tuple[str, ...]) -> JSON:
        self._left -= 1
        self._unfolding.left -= 1
        if self._unfolding.left < 0:
            raise DocumentTooLarge
        if self._left < 0:
            raise _too_large()
        if not isinstance(schema, dict):  # `true`, or a mistake
            return {} if schema is not False else {"not": {}}
        if isinstance(schema.get("$ref"), str):
            return self._reference(schema, trail)
        found = self._plain(schema)
        for key in ONE:
            if isinstance(schema.get(key), bool) and key != "items":
                found[key] = schema[key]
            elif isinstance(schema.get(key), dict):
                found[key] = self._convert(schema[key], trail)
        for key in SEVERAL:
            if as_list(schema.get(key)):
                parts = [self._convert(part, trail) for part in schema[key]]
                found[key] = told_apart(self._document, schema, key, parts) if key in ("anyOf", "oneOf") else parts
        for key in BY_NAME:
            if isinstance(schema.get(key), dict):
                found[key] = self._named(schema[key], trail)
        self._close(schema, found)
        merged = with_fitting_examples(_merged(as_any_of(found)))
        return or_null(merged) if _is_nullable(schema) else merged

    def _reference(self, schema: JSON, trail: tuple[str, ...]) -> JSON:
        ref = schema["$ref"]
        if ref in trail:
            self._document.follow(schema)  # raises where the circle is of references alone, which no value ends
            if len(circle := trail[trail.index(ref) :]) > 1:
                self._unfolding.circular.update(circle)
            name = self._names.setdefault(ref, _definition_name(ref, self._names.values()))
            again = {"$ref": f"#/$defs/{name}"}
            return or_null(again) if _is_nullable(schema) else again
        before = self._left
        if before < self._unfolding.needs(ref):
            raise _too_large()
        try:
            found = self._convert(self._document.at(ref), (*trail, ref))
        except Unusable as reason:
            if reason.code == "too_large" and not isinstance(reason, DocumentTooLarge):
                self._unfolding.at_least[ref] = max(before + 1, self._unfolding.at_least.get(ref, 0))
            raise
        self._unfolding.at_least[ref] = before - self._left
        beside = {k: v for k, v in schema.items() if k in ("description", "default") and v is not None}
        found = {**found, **beside} if "$ref" not in found else found
        return or_null(found) if _is_nullable(schema) else found

    def _named(self, properties: JSON, trail: tuple[str, ...]) -> JSON:
        found = {}
        for name, part in properties.items():
            if isinstance(part, dict) and (part.get("readOnly") is True):
                continue
            found[name] = self._convert(part, trail)
        return found

    def _plain(self, schema: JSON) -> JSON:
        """The keys that hold no schema."""
        found: JSON = {}
        if kind := _type(schema):
            found["type"] = kind
        if isinstance(schema.get("description"), str) and schema["description"].strip():
            found["description"] = schema["description"].strip()
        for key in ("format", "pattern"):
            if isinstance(schema.get(key), str) and schema[key]:
                found[key] = schema[key]
        if as_list(schema.get("enum")):
            choices = list({json.dumps(v, sort_keys=True): v for v in schema["enum"]}.values())
            found["enum"] = typed_choices(choices, kind)
        for key in ("const", "default"):
            if schema.get(key) is not None:
                found[key] = schema[key]
        for key in NUMBERS:
            if isinstance(schema.get(key), int | float) and not isinstance(schema[key], bool) and schema[key] >= 0:
                found[key] = schema[key] if key == "multipleOf" else plain_count(schema[key])
        if schema.get("uniqueItems") is True:
            found["uniqueItems"] = True
        _bounds(schema, found)
        if examples := _examples(schema):
            found["examples"] = examples
        return found

    def _close(self, schema: JSON, found: JSON) -> None:
        if found.get("format") == "binary" or schema.get("type") == "file":
            raise Unusable("binary", "it wants the bytes of a file")
        required = [n for n in as_list(schema.get("required")) if isinstance(n, str)]
        if "properties" in found or "properties" in schema:
            hidden = set(as_object(schema.get("properties"))) - set(found.get("properties", {}))
            required = [n for n in required if n not in hidden]
            found.setdefault("type", "object")
        if required:
            found["required"] = list(dict.fromkeys(required))
        if "items" in found:
            found.setdefault("type", "array")


def _is_nullable(schema: JSON) -> bool:
    return schema.get("nullable") is True or schema.get("x-nullable") is True


def _too_large() -> Unusable:
    return Unusable("too_large", f"its schema has more than {MOST_NODES:,} parts once references are followed")


def _type(schema: JSON) -> Any:
    said = schema.get("type")
    words = [k.lower() for k in (said if isinstance(said, list) else [said]) if isinstance(k, str)]
    kinds = [k for k in dict.fromkeys(OTHER_TYPES.get(w, w) for w in words) if k in TYPES]
    return kinds[0] if len(kinds) == 1 else kinds or None


def _bounds(schema: JSON, found: JSON) -> None:
    """3.0 and 2.0 say ``exclusiveMinimum: true`` beside ``minimum``; 3.1 gives the number itself."""
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        value, strict = schema.get(bound), schema.get(exclusive)
        if isinstance(value, int | float) and not isinstance(value, bool):
            found[exclusive if strict is True else bound] = value
        if isinstance(strict, int | float) and not isinstance(strict, bool):
            found[exclusive] = strict


def _examples(schema: JSON) -> list[Any]:
    if schema.get("example") is not None:
        return [schema["example"]]
    if schema.get("x-example") is not None:
        return [schema["x-example"]]
    said = schema.get("examples")
    return [v for v in said if v is not None][:3] if isinstance(said, list) else []


def _merged(found: JSON) -> JSON:
    """``allOf`` of objects as one object, and a choice of one as the thing itself: small models read those."""
    for key in ("oneOf", "anyOf"):
        if len(found.get(key, [])) == 1 and "$ref" not in found[key][0]:
            only = found.pop(key)[0]
            found = {**only, **found}
    parts = found.get("allOf")
    if not parts or any("$ref" in p for p in parts):
        return found
    own = {k: v for k, v in found.items() if k != "allOf"}
    everything = [*parts, own]
    kinds = {str(p["type"]) for p in everything if "type" in p}
    plain = {"type", "description", "properties", "required", "default", "examples", "additionalProperties"}
    if len(parts) > 1 and (not kinds <= {"object"} or any(set(p) - plain for p in everything)):
        return found
    if len(parts) == 1 and set(parts[0]) & set(own) - plain:
        return found
    return _joined(everything)


def _joined(parts: list[JSON]) -> JSON:
    joined: JSON = {}
    for part in parts:
        for key, value in part.items():
            if key == "properties":
                for name, schema in value.items():
                    before = joined.setdefault("properties", {}).get(name, {})
                    joined["properties"][name] = {**before, **schema}
            elif key == "required":
                joined["required"] = list(dict.fromkeys([*joined.get("required", []), *value]))
            elif key != "additionalProperties" or len(parts) == 2:
                joined[key] = value
    return joined


def _definition_name(ref: str, taken: Any) -> str:
    from lamina.tools.naming import identifier, unique

    return unique(identifier(name_of(ref) or "root", "Schema"), list(taken))

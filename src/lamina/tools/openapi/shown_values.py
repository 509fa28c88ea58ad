"""Values that a document shows: the examples and choices of a schema, in the type that the schema itself says.

Documents show numbers in quotation marks and half an id. Whoever draws values from them would make calls that the same
schema refuses."""

from __future__ import annotations

import json
import math
from typing import Any

from lamina.tools.tool import JSON, argument_validator
from lamina.tools.validators import SchemaRefused


def with_fitting_examples(schema: JSON) -> JSON:
    """Without the examples that ``schema`` refuses, those with one reading in its type read so (``"10"`` as 10)."""
    if "examples" not in schema:
        return schema
    rest = {key: value for key, value in schema.items() if key != "examples"}
    try:
        validator = argument_validator(rest)
    except (SchemaRefused, RecursionError):  # what it refers to is not at hand here: nothing can be said
        return schema
    typed = [as_typed(value, schema.get("type")) for value in schema["examples"]]
    fitting = [value for value in typed if validator.is_valid(value)]
    return {**rest, "examples": fitting} if fitting else rest


def typed_choices(values: list[Any], kind: Any) -> list[Any]:
    """The values of an ``enum``. Where none is of the type beside it, nothing would fit, and they are read as of it."""
    if not isinstance(kind, str) or any(_is_of(value, kind) for value in values):
        return values
    return [as_typed(value, kind) for value in values]


def as_typed(value: Any, kind: Any) -> Any:
    """``value`` as a value of the type ``kind``, where it has one reading in it; else as it is."""
    if not isinstance(kind, str) or isinstance(value, list | dict) or value is None or _is_of(value, kind):
        return value
    if kind == "string":
        return json.dumps(value)
    if not isinstance(value, str):
        return value
    try:
        read = json.loads(value.strip().lower())
    except ValueError:
        return value
    return read if _is_of(read, kind) else value


def _is_of(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if isinstance(value, int | float):
        if isinstance(value, float) and not math.isfinite(value):
            return False
        return kind == "number" or (kind == "integer" and (isinstance(value, int) or value.is_integer()))
    kinds: dict[str, type] = {"string": str, "array": list, "object": dict, "null": type(None)}
    return kind in kinds and isinstance(value, kinds[kind])

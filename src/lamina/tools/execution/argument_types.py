"""What makes the value that a function takes of the JSON text of an argument: pydantic's validator for the type hint.

For plain hints it is built without importing pydantic, from the very schema that pydantic would make (a test compares
them). Each fork has all memory of the supervisor to take over and, for ``threading``, which pydantic imports, to tidy
up: without pydantic a call takes 3.1 ms of a core instead of 3.6.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic_core import SchemaValidator

Schema = dict[str, Any]
Reader = Callable[[bytes], Any]

PLAIN: dict[Any, Schema] = {
    str: {"type": "str"},
    int: {"type": "int"},
    float: {"type": "float"},
    bool: {"type": "bool"},
    None: {"type": "none"},
    NoneType: {"type": "none"},
    date: {"type": "date"},
    datetime: {"type": "datetime", "microseconds_precision": "truncate"},
    time: {"type": "time", "microseconds_precision": "truncate"},
    timedelta: {"type": "timedelta", "microseconds_precision": "truncate"},
    list: {"type": "list", "items_schema": {"type": "any"}},
    dict: {"type": "dict", "keys_schema": {"type": "any"}, "values_schema": {"type": "any"}},
}
BOUNDS: dict[Any, str] = {Ge: "ge", Gt: "gt", Le: "le", Lt: "lt"}


def reader_for(hint: Any) -> Reader:
    """Raises whatever pydantic raises for a hint that it cannot read."""
    schema = plain_schema(hint)
    if schema is not None:
        return SchemaValidator(schema).validate_json
    from pydantic import TypeAdapter

    adapter: TypeAdapter[Any] = TypeAdapter(hint)
    if isinstance(adapter.validator, SchemaValidator):  # and not one that is only built when first used
        return adapter.validator.validate_json
    return adapter.validate_json


def plain_schema(hint: Any) -> Schema | None:
    """None for a hint that takes pydantic to read."""
    if hint is Any:
        return {"type": "any"}
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is None:
        return PLAIN.get(hint) if hint is None or isinstance(hint, type) else None
    if origin is Annotated:
        return _bounded(plain_schema(arguments[0]), arguments[1:])
    if origin is Literal:
        simple = all(a is None or type(a) in (str, int) for a in arguments)
        return {"type": "literal", "expected": list(arguments)} if simple else None
    if origin in (Union, UnionType):
        return _optional(arguments)
    parts = [plain_schema(a) for a in arguments]
    if None in parts:
        return None
    if origin is list:
        return {"type": "list", "items_schema": parts[0]}
    if origin is dict:
        return {"type": "dict", "keys_schema": parts[0], "values_schema": parts[1]}
    return None


def _optional(arguments: tuple[Any, ...]) -> Schema | None:
    inner = [a for a in arguments if a is not NoneType]
    schema = plain_schema(inner[0]) if len(inner) == 1 and len(arguments) == 2 else None
    return {"type": "nullable", "schema": schema} if schema is not None else None


def _bounded(schema: Schema | None, metadata: tuple[Any, ...]) -> Schema | None:
    """Descriptions say nothing to pydantic; bounds are taken where there is one way to read them."""
    found: Schema = {}
    for mark in metadata:
        if isinstance(mark, str):
            continue
        kind = BOUNDS.get(type(mark))
        if kind is None or kind in found or schema is None:
            return None
        bound = getattr(mark, kind)
        if (schema["type"], type(bound)) not in (("int", int), ("float", int), ("float", float)) or kind in schema:
            return None
        found[kind] = bound
    return {**schema, **found} if schema is not None else None

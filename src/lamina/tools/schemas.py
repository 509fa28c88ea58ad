"""Type hints to one plain JSON Schema: definitions inlined, no titles, nothing a model need not read."""

from __future__ import annotations

import inspect
import json
import re
import warnings
from collections.abc import Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Any, TypeVar, get_origin

from pydantic import TypeAdapter
from pydantic.errors import PydanticUserError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, PydanticJsonSchemaWarning

from lamina.tools.docstrings import read_docstring
from lamina.tools.signatures import Flaw, Parameter
from lamina.tools.tool import JSON

FIRST_KEYS = ("$ref", "type", "description", "enum", "const", "format", "properties", "required", "items")
BOUNDS = ("ge", "gt", "le", "lt", "multiple_of")
SCHEMA_MAPS = ("properties", "patternProperties", "$defs")
PLAIN_DATA = ("default", "const", "enum", "examples", "required")


class _Generator(GenerateJsonSchema):
    """Pydantic's generator, with docstrings of classes read like those of functions."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def decimal_schema(self, schema: Any) -> JsonSchemaValue:
        bounds: Any = {"type": "float", **{k: float(schema[k]) for k in BOUNDS if k in schema}}
        # pydantic says a number OR a string with a look-ahead pattern, which grammar engines do not take
        return self.float_schema(bounds)

    def model_schema(self, schema: Any) -> JsonSchemaValue:
        return _described(super().model_schema(schema), schema["cls"])

    def dataclass_schema(self, schema: Any) -> JsonSchemaValue:
        found = super().dataclass_schema(schema)
        for field in fields(schema["cls"]):
            if not field.init:  # set by the class itself; pydantic would describe one with a default
                found.get("properties", {}).pop(field.name, None)
        return _described(found, schema["cls"])


def _described(schema: JsonSchemaValue, cls: type) -> JsonSchemaValue:
    text = inspect.cleandoc(cls.__dict__.get("__doc__") or "")
    schema.pop("description", None)
    if not text or text.startswith(f"{cls.__name__}("):  # what @dataclass writes by itself
        return schema
    read = read_docstring(text)
    if read.description:
        schema["description"] = read.description
    for name, description in read.arguments.items():
        if name in schema.get("properties", {}):
            schema["properties"][name].setdefault("description", description)
    return schema


def parameters_schema(parameters: Sequence[Parameter], descriptions: dict[str, str], function: str) -> JSON:
    """The JSON Schema object of a function's arguments. Raises Flaw for a type that has none."""
    inputs = [(p.name, "validation", _adapter(p, function)) for p in parameters]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PydanticJsonSchemaWarning)
        try:
            by_name, rest = TypeAdapter.json_schemas(inputs, schema_generator=_Generator)  # type: ignore[arg-type]
        except PydanticUserError as error:
            raise Flaw(f"{function}: an argument has no JSON form ({_first(error)})", _MEND) from None
    defs: JSON = rest.get("$defs", {})
    recursive = {name for name in defs if name in _reachable(defs[name], defs)}
    properties = {}
    for p in parameters:
        schema = _clean(by_name[p.name, "validation"], defs, recursive)
        _refuse_any_or_none(schema, p, function)
        text = descriptions.get(p.name) or p.description
        properties[p.name] = _ordered({**schema, **({"description": text} if text else {})})
        if not p.required:
            _put_default(properties[p.name], p, function)
    result: JSON = {
        "type": "object",
        "properties": properties,
        "required": [p.name for p in parameters if p.required],
        "additionalProperties": False,
    }
    if recursive:
        result["$defs"] = {name: _clean(defs[name], defs, recursive) for name in defs if name in recursive}
    return result


def _refuse_any_or_none(schema: JSON, parameter: Parameter, function: str) -> None:
    """``type[int]`` and type variables allow every value in their schema, an Enum without members none."""
    hint = parameter.hint
    while hasattr(hint, "__metadata__"):  # Annotated
        hint = hint.__origin__
    if isinstance(hint, TypeVar) or type in (hint, get_origin(hint)):
        raise Flaw(f"{function}: the type of {parameter.name!r} ({hint}) says nothing of its values", _MEND)
    if schema.get("enum") == []:
        raise Flaw(f"{function}: the type of {parameter.name!r} has no members, so no value fits", "give it some")


_MEND = "use str, int, float, bool, list, dict, Literal, Enum, date, a dataclass or a pydantic model"


def _adapter(parameter: Parameter, function: str) -> TypeAdapter[Any]:
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(parameter.hint)
        adapter.json_schema(schema_generator=_Generator)
    except Exception as error:  # pydantic, or a __get_pydantic_core_schema__ of the user's own
        what = f"{function}: the type of {parameter.name!r} cannot be described ({_first(error)})"
        raise Flaw(what, _MEND) from None
    return adapter


_ADVICE = re.compile(r"\.? (?:Set `arbitrary_types_allowed|For further information).*")


def _first(error: Exception) -> str:
    """What a library said, in one line, without its advice: that is for those who write models of pydantic."""
    said = _ADVICE.sub("", " ".join(str(error).split()))
    return (said or type(error).__name__).rstrip(". ")[:240]


def _put_default(schema: JSON, parameter: Parameter, function: str) -> None:
    """The default in its JSON form; left out, but still optional, where it has none. Raises Flaw for one that is not
    of the argument's own type: calls are compared with defaults filled in."""
    from pydantic_core import to_jsonable_python

    schema.pop("default", None)
    try:
        default = to_jsonable_python(parameter.default, inf_nan_mode="null")
    except Exception:
        return
    if isinstance(parameter.default, Decimal):
        if not parameter.default.is_finite():
            return
        default = float(parameter.default)  # as its schema says
    elif isinstance(parameter.default, float) and default is None:
        return  # NaN and the infinities have no JSON form
    if isinstance(default, str | int | float) and (kinds := _kinds(schema)) and _plain(default) not in kinds:
        what = f"{function}: the default of {parameter.name!r} is {default!r}, which its type hint does not allow"
        raise Flaw(what, "mend the default or the type hint")
    schema["default"] = default


PYTHON_TYPES = {"string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,)}


def _plain(default: str | int | float) -> type:
    """2.0 is an integer to JSON Schema."""
    return int if isinstance(default, float) and default.is_integer() else type(default)


def _kinds(schema: JSON) -> tuple[type, ...]:
    """Types of Python that a plain schema allows; empty where it is none of these."""
    kind = schema.get("type")
    return PYTHON_TYPES.get(kind, ()) if isinstance(kind, str) and "enum" not in schema else ()


def _reachable(node: Any, defs: JSON) -> set[str]:
    found: set[str] = set()
    stack = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, list):
            stack.extend(item)
        elif isinstance(item, dict):
            name = str(item.get("$ref", "")).removeprefix("#/$defs/")
            if name in defs and name not in found:
                found.add(name)
                stack.append(defs[name])
            stack.extend(value for key, value in item.items() if key != "discriminator")
    return found


def _clean(node: Any, defs: JSON, recursive: set[str]) -> Any:
    """A copy with definitions inlined (recursive ones stay), titles dropped and keys in reading order."""
    if isinstance(node, list):
        return [_clean(n, defs, recursive) for n in node]
    if not isinstance(node, dict):
        return node
    cleaned: JSON = {}
    for key, value in node.items():
        if key in ("title", "discriminator", "$defs"):
            continue
        if key in SCHEMA_MAPS:
            cleaned[key] = {name: _clean(v, defs, recursive) for name, v in value.items()}
        else:
            cleaned[key] = value if key in PLAIN_DATA else _clean(value, defs, recursive)
    if "enum" in cleaned:  # an Enum with an alias says a value twice
        cleaned["enum"] = list({json.dumps(value): value for value in cleaned["enum"]}.values())
    name = str(cleaned.get("$ref", "")).removeprefix("#/$defs/")
    if name in defs and name not in recursive:
        del cleaned["$ref"]
        cleaned = {**_clean(defs[name], defs, recursive), **cleaned}
    if "properties" in cleaned:
        cleaned.setdefault("additionalProperties", False)
    return _ordered(cleaned)


def _ordered(schema: JSON) -> JSON:
    return {key: schema[key] for key in (*(k for k in FIRST_KEYS if k in schema), *schema)}

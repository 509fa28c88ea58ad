"""What a model may write: the JSON Schema and the llguidance grammar of an array of calls to given tools. The same
grammar text constrains llama.cpp and Transformers, so that both can be compared call by call."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Collection
from typing import Any

from lamina.models.copied_numbers import said_numbers
from lamina.models.copying import heard, held_to, said_pattern
from lamina.models.model import Request
from lamina.models.speaking import speaking_grammar
from lamina.tools import Toolbox

MAX_CALLS = 4
SAID = "(said)"
"""The name of the definition of a copied text: no tool's definition is called like it."""
SCHEMAS = ("items", "additionalProperties")
SCHEMA_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
SCHEMA_MAPS = ("properties", "patternProperties")
DATA = ("type", "enum", "const", "required")
COUNTS = ("minItems", "maxItems", "minLength", "maxLength")
BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
LARGEST_BOUND = 2**53
FORMATS = ("duration", "email", "hostname", "ipv4", "ipv6", "uuid")
"""``uri`` is not among them: llama.cpp gives up on its lexer and then decodes freely, without a word."""
_YEAR = r"([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
_LEAP_YEAR = r"([0-9]{2}(0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)"
_DAY = r"(0[1-9]|1[0-9]|2[0-8])"
_DATE = rf"({_YEAR}-((0[1-9]|1[0-2])-{_DAY}|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)|{_LEAP_YEAR}-02-29)"
"""Every day of the calendar and no other: the standard library knows no year 0 and no 30th of February."""
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?"
FORMAT_PATTERNS = {
    "date": rf"^{_DATE}$",
    "date-time": rf"^{_DATE}T{_CLOCK}(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?$",
    "time": rf"^{_CLOCK}$",
}
"""Looser than RFC 3339, as ``Tool.problems`` is: the offset and the seconds may be left out."""


def calls_schema(
    toolbox: Toolbox, max_calls: int = MAX_CALLS, copied: Collection[str] = (), said: str = ""
) -> dict[str, Any]:
    """An array of 0 to ``max_calls`` objects ``{"name", "arguments"}``; ``[]`` means: no call. Arguments that are
    ``copied`` (``TOOL.PATH``) hold words or numbers of ``said`` or their default.

    Keywords that llguidance does not take are left out: the grammar then allows more than the schema, and
    ``Tool.problems`` still says what does not fit."""
    calls: list[dict[str, Any]] = []
    definitions: dict[str, Any] = {}
    words, numbers = (said_pattern(said), said_numbers(said)) if copied else (None, [])
    if words:
        definitions[SAID] = {"type": "string", "pattern": f"^{words}$"}
    for tool in toolbox:
        own = {**tool.parameters.get("definitions", {}), **tool.parameters.get("$defs", {})}
        names = {name: f"{tool.name}.{name}" for name in own}
        definitions.update({names[name]: _plain(schema, names) for name, schema in own.items()})
        arguments = {**tool.parameters, "type": "object"}
        if tool.properties or tool.unknown(("",)):
            # names that are not listed are rarely right, even where the schema lets them pass; without any they are all
            arguments["additionalProperties"] = False
        if copied:
            reference = {"$ref": f"#/$defs/{SAID}"} if words else None
            arguments = held_to(arguments, tool.name, copied, reference, numbers)
        arguments = _plain(arguments, {**names, SAID: SAID})
        calls.append(
            {
                "type": "object",
                "properties": {"name": {"const": tool.name}, "arguments": arguments},
                "required": ["name", "arguments"],
                "additionalProperties": False,
            }
        )
    if not calls:
        return {"type": "array", "maxItems": 0}
    schema: dict[str, Any] = {"type": "array", "items": {"anyOf": calls}, "maxItems": max_calls}
    return {**schema, "$defs": definitions} if definitions else schema


def calls_grammar(toolbox: Toolbox, max_calls: int = MAX_CALLS, copied: Collection[str] = (), said: str = "") -> str:
    """The llguidance grammar of ``calls_schema``: what is sent to every backend that can constrain."""
    return json_grammar(calls_schema(toolbox, max_calls, copied, said))


def json_grammar(schema: dict[str, Any]) -> str:
    """A Lark grammar of llguidance: JSON of this schema, separators ``", "`` and ``": "``, no other white space."""
    guidance = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
    return "start: %json " + json.dumps({**schema, "x-guidance": guidance}, ensure_ascii=False)


def _plain(schema: Any, names: dict[str, str]) -> Any:
    """The schema in the keywords that llguidance takes; ``names`` says what the definitions are called now."""
    if not isinstance(schema, dict):
        return schema
    kept: dict[str, Any] = {}
    for key, value in schema.items():
        if key in SCHEMAS and isinstance(value, dict | bool):
            kept[key] = _plain(value, names)
        elif key in SCHEMA_LISTS and isinstance(value, list) and value:
            kept["anyOf" if key == "oneOf" else key] = [_plain(s, names) for s in value]
        elif key in SCHEMA_MAPS and isinstance(value, dict):
            kept[key] = {name: _plain(s, names) for name, s in value.items()}
        elif key in DATA or (key in (*COUNTS, *BOUNDS) and _is_bound(value)):
            kept[key] = value
        elif key == "$ref" and (name := str(value).rpartition("/")[2]) in names:
            kept[key] = f"#/$defs/{names[name]}"
        elif key == "pattern" and _is_common(str(value)):
            kept[key] = value
        elif key == "format":
            kept |= _format(schema)
    return _possible(kept)


def _is_bound(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST_BOUND


def _format(schema: dict[str, Any]) -> dict[str, str]:
    kind = schema["format"]
    if kind in FORMATS:
        return {"format": kind}
    if kind in FORMAT_PATTERNS and "pattern" not in schema:
        return {"pattern": FORMAT_PATTERNS[kind]}
    return {}


def _is_common(pattern: str) -> bool:
    """Whether a regular expression means the same to Rust's engine: no look-around, no references to groups, no
    word boundaries, plain classes and counts."""
    strange = r"\(\?(?!:)|\\[^dDwWsS.^$*+?()\[\]{}|/\\ntr-]|\[[^\]]*\[|&&|--|~~|(?<!\\)\{(?!\d+(,\d*)?\})"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # "possible nested set": turned away below
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return False
    return re.search(strange, pattern) is None


def _possible(schema: dict[str, Any]) -> dict[str, Any]:
    """Without demands that nothing can meet: one of them would make the whole grammar fail."""
    if schema.get("enum") == []:
        del schema["enum"]
    if schema.get("additionalProperties") is False and "required" in schema:
        schema["required"] = [name for name in schema["required"] if name in schema.get("properties", {})]
    for low, high in (("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems")):
        if low in schema and high in schema and schema[low] > schema[high]:
            del schema[low], schema[high]
    return schema


def grammar_of(
    request: Request, copied: Collection[str] = (), speaks: bool = False, end: int | None = None
) -> str | None:
    """The llguidance grammar that a request's answer must satisfy; None where it is free. ``copied``: arguments that
    hold words or numbers of what was said. ``speaks``: words may stand before the calls, or instead of them, up to the
    token ``end`` (``speaking_grammar``)."""
    if not request.constrained:
        return None
    if request.grammar is not None:
        return request.grammar
    if request.constraint is not None:
        return json_grammar(request.constraint)
    if request.tools is None:
        return None
    calls = calls_grammar(request.tools, copied=copied, said=heard(request.messages) if copied else "")
    return speaking_grammar(calls, end) if speaks else calls


def is_of_calls(request: Request) -> bool:
    """Whether the answer is held to an array of calls, words beside it or not."""
    free = request.grammar is None and request.constraint is None
    return request.constrained and free and request.tools is not None

"""Arguments: does each call fit the tool it names? Where a value has the wrong type and only one reading, it is cast
(xLAM, arXiv 2409.03215 section 4: "mostly mended by casting")."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from lamina.checks.reasons import Reason
from lamina.checks.rule import Rejection
from lamina.tools import Tool, Toolbox
from lamina.trajectories import ToolCall, Trajectory
from lamina.trajectories.formats.reading.loose import loose

STAGE = "format"
JSON = dict[str, Any]
_INTEGER = re.compile(r"[-+]?\d{1,15}(?:\.0+)?")
_NUMBER = re.compile(r"[-+]?(?:\d{1,15}(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d{1,2})?")
_CANNOT = object()


def check_arguments(trajectory: Trajectory, toolbox: Toolbox) -> Rejection | None:
    """The first call that names no tool, or whose arguments its tool does not take."""
    if trajectory.calls and not len(toolbox):
        detail = f"{trajectory.calls[0].name!r} is called, but the record has no tools; --tools gives them"
        return Rejection(STAGE, Reason.NO_TOOLS, detail)
    ids: set[str] = set()
    for call in trajectory.calls:
        if found := check_call(call, toolbox, ids):
            return found
        ids |= {call.id} if call.id else set()
    return None


def check_call(call: ToolCall, toolbox: Toolbox, ids: Collection[str] | None = None) -> Rejection | None:
    """Why a call fits none of the tools. ``ids``: of the calls before it, whose results its values may stand for; None
    where no value may stand for a result."""
    tool = toolbox.get(call.name)
    if tool is None:
        return Rejection(STAGE, Reason.UNKNOWN_FUNCTION, _unknown(call, toolbox))
    try:
        faults = tool.faults(call.arguments) if ids is None else _problems(call, tool, ids)
    except ValueError as error:
        said = str(error).splitlines()[0][:160]
        return Rejection(STAGE, Reason.BAD_TOOL, f"{tool.name}: its parameters are no JSON Schema ({said})")
    if faults:
        reason, problem = _fault(call, tool, faults)
        return Rejection(STAGE, reason, f"{call.name}: {problem}")
    return None


_REFERENCE = re.compile(r"\$\w+(?:[.\[].*)?\$|\$\{[^{}]*\}|API_call_\d+")


def is_reference(value: Any, ids: Collection[str]) -> bool:
    """Whether a value stands for the result of an earlier call: ``$var1.id$`` (NESTful), ``${id from search}``
    (ToolAlpaca), ``API_call_0`` or the id of that call (Seal-Tools)."""
    return isinstance(value, str) and (value in ids or _REFERENCE.fullmatch(value) is not None)


def _problems(call: ToolCall, tool: Tool, ids: Collection[str]) -> list[tuple[str, str]]:
    """References have the type that the result will have: only their names are checked."""
    referred = {name for name, value in call.arguments.items() if is_reference(value, ids)}
    if not referred:
        return tool.faults(call.arguments)
    found = tool.faults({name: value for name, value in call.arguments.items() if name not in referred})
    found += [("additionalProperties", f"{tool.name} has no argument {n!r}") for n in tool.unknown(referred)]
    absent = tuple(f'"{name}" is a required property' for name in referred)
    return [(keyword, problem) for keyword, problem in found if not problem.endswith(absent)]


def _unknown(call: ToolCall, toolbox: Toolbox) -> str:
    return f"there is no function {call.name!r}; on offer: {', '.join(toolbox.names[:6])}"


OF_KEYWORD = {
    "type": Reason.WRONG_TYPE,
    "enum": Reason.NOT_IN_ENUM,
    "const": Reason.NOT_IN_ENUM,
    "format": Reason.BAD_FORMAT,
    "pattern": Reason.NO_MATCH,
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), Reason.OUT_OF_RANGE),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), Reason.OUT_OF_RANGE),
}
"""Of the keyword of JSON Schema that a value fails; any other (``anyOf``, ``uniqueItems``, …) is bad-arguments."""


def _fault(call: ToolCall, tool: Tool, faults: list[tuple[str, str]]) -> tuple[Reason, str]:
    """The reason, and of the problems one that it is about."""
    keyword, first = faults[0]
    if tool.unknown(call.arguments):
        return Reason.UNKNOWN_ARGUMENT, first  # invented names come first
    if any(name not in call.arguments for name in tool.required):
        absent = [problem for _, problem in faults if problem.endswith(" is a required property")]
        return Reason.MISSING_ARGUMENT, (absent or [first])[0]
    return OF_KEYWORD.get(keyword, Reason.BAD_ARGUMENTS), first


def cast_arguments(trajectory: Trajectory, toolbox: Toolbox) -> tuple[Trajectory, list[str]]:
    """The record with values cast where the schema leaves one reading, and a sentence for each that changed. The
    record itself is not touched."""
    found: list[str] = []
    mended = trajectory
    for turn, message in enumerate(trajectory.messages):
        for place, call in enumerate(message.tool_calls or []):
            tool = toolbox.get(call.name)
            if tool is None or _fits(tool, call.arguments):
                continue
            changes: list[str] = []
            arguments = _object(call.arguments, tool.parameters, call.name, changes)
            if changes:
                mended = mended.model_copy(deep=True) if mended is trajectory else mended
                calls = mended.messages[turn].tool_calls
                assert calls is not None
                calls[place].function.arguments = arguments
                found += changes
    return mended, found


def _fits(tool: Tool, arguments: JSON) -> bool:
    try:
        return not tool.problems(arguments)
    except ValueError:
        return True  # a broken schema says nothing about values


def _object(value: JSON, schema: JSON, path: str, changes: list[str]) -> JSON:
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return value
    needed = schema.get("required") or []
    found: JSON = {}
    for name, one in value.items():
        part = properties.get(name)
        if isinstance(part, dict) and one is None and name not in needed and not _allows(part, "null"):
            changes.append(f"{path}.{name}: null left out")
            continue
        if one == "" and name not in needed and isinstance(part, dict) and "" not in part.get("enum", [""]):
            changes.append(f"{path}.{name}: empty text left out")
            continue
        found[name] = _value(one, part, f"{path}.{name}", changes) if isinstance(part, dict) else one
    return found


def _value(value: Any, schema: JSON, path: str, changes: list[str]) -> Any:
    """``value`` as the schema wants it, or as it is where there is no one way."""
    branches = [b for k in ("anyOf", "oneOf") for b in schema.get(k) or [] if isinstance(b, dict)]
    branches = [b for b in branches if b.get("type") != "null"]
    if len(branches) == 1:
        schema = {**branches[0], **{k: v for k, v in schema.items() if k not in ("anyOf", "oneOf")}}
    kind = _kind(schema)
    if isinstance(value, dict) and kind in ("object", None):
        return _object(value, schema, path, changes)
    if isinstance(value, list) and kind in ("array", None):
        items = schema.get("items")
        if not isinstance(items, dict):
            return value
        return [_value(one, items, f"{path}[{i}]", changes) for i, one in enumerate(value)]
    cast = _cast(value, kind, schema)
    if cast is _CANNOT:
        return value
    changes.append(f"{path}: {_short(value)} became {_short(cast)}")
    return _value(cast, schema, path, changes) if isinstance(cast, dict | list) else cast


def _cast(value: Any, kind: str | None, schema: JSON) -> Any:
    if isinstance(value, str) and kind in _FROM_TEXT:
        return _FROM_TEXT[kind](value.strip())
    if kind == "string" and isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
        return value if "enum" not in schema or value in schema["enum"] else _CANNOT
    if isinstance(value, str) and isinstance(schema.get("enum"), list) and value not in schema["enum"]:
        same = [e for e in schema["enum"] if isinstance(e, str) and e.casefold() == value.strip().casefold()]
        return same[0] if len(same) == 1 else _CANNOT
    return _CANNOT


def _integer(text: str) -> Any:
    return int(text.partition(".")[0]) if _INTEGER.fullmatch(text) else _CANNOT


def _number(text: str) -> Any:
    whole = _integer(text)
    return whole if whole is not _CANNOT else float(text) if _NUMBER.fullmatch(text) else _CANNOT


def _boolean(text: str) -> Any:
    return {"true": True, "false": False}.get(text.lower(), _CANNOT)


def _shaped(shape: type) -> Any:
    def read(text: str) -> Any:
        if text[:1] not in ("[", "{", "("):
            return _CANNOT
        try:
            found = loose(text)
        except ValueError:
            return _CANNOT
        return found if isinstance(found, shape) else _CANNOT

    return read


_FROM_TEXT: dict[str | None, Any] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "array": _shaped(list),
    "object": _shaped(dict),
}


def _kind(schema: JSON) -> str | None:
    """The one type a schema has beside null; None where there are several, or none."""
    kind = schema.get("type")
    kinds = [k for k in (kind if isinstance(kind, list) else [kind]) if k != "null"]
    return kinds[0] if len(kinds) == 1 and isinstance(kinds[0], str) else None


def _allows(schema: JSON, kind: str) -> bool:
    kinds = schema.get("type")
    if kinds is None:
        return True
    return kind in (kinds if isinstance(kinds, list) else [kinds])


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"

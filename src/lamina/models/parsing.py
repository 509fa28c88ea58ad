"""From what a model wrote to calls. Strict JSON first, then the usual wrappings; whatever else is a problem said in
a sentence, never an exception and never evaluated. Time grows linearly with the text."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from lamina.tools import Toolbox
from lamina.trajectories import ToolCall

LONGEST = 100_000
"""Characters that are looked at; no call is longer."""
DEEPEST = 64
STARTS_TRIED = 8
_START = re.compile(r"[\[{]")
_BETWEEN = re.compile(r"[\s,;]{0,200}")
_TAG, _UNTAG = "<tool_call>", "</tool_call>"

Rows = list[tuple[str, dict[str, Any]]]


def parse_calls(text: str, toolbox: Toolbox | None = None) -> tuple[list[ToolCall], str | None]:
    """Calls and, where they could not be read, the problem. ``[]`` written on purpose is no problem. With a
    ``toolbox`` unknown functions and arguments that don't fit are problems too.

    Read are: an array of calls, one call, an object with ``tool_calls``; in a code fence, in ``<tool_call>`` tags,
    amid other words. An array that breaks off is a problem even where its first call is whole."""
    text = text.strip("\ufeff\x00 \t\r\n")
    if not text:
        return [], "the model wrote nothing"
    if len(text) > LONGEST:
        return [], f"the model wrote {len(text)} characters; no call is that long"
    rows, problem = _read(text)
    if problem is not None:
        return [], problem
    calls = [ToolCall.of(name, arguments) for name, arguments in rows]
    for call in calls if toolbox is not None else []:
        tool = toolbox.get(call.name) if toolbox else None
        if tool is None:
            return [], f"there is no function {call.name!r}"
        if problems := tool.problems(call.arguments):
            return [], problems[0]
    return calls, None


def _read(text: str) -> tuple[Rows, str | None]:
    whole = _json(text)
    if whole is not None:
        rows = _rows(whole)
        return (rows, None) if rows is not None else ([], f"JSON, but not calls: {text[:80]!r}")
    if _TAG in text:
        found: Rows = []
        for part in _tagged(text):
            rows, problem = _first_calls(part)
            if problem is not None:
                return [], problem
            found += rows
        return found, None
    return _first_calls(_in_fence(text) or text)


def _first_calls(text: str) -> tuple[Rows, str | None]:
    """The first value in the text that is calls; objects that follow each other are taken together."""
    position = 0
    for _ in range(STARTS_TRIED):
        start = _START.search(text, position)
        if start is None:
            break
        position = _end_of_value(text, start.start())
        if position < 0:
            return [], f"the JSON breaks off or is nested too deeply: {text[start.start() :][:80]!r}"
        value = _json(text[start.start() : position])
        rows = _rows(value)
        if rows is None:
            continue
        while isinstance(value, dict):
            follows = _BETWEEN.match(text, position)
            beginning = follows.end() if follows else position
            if not text.startswith("{", beginning):
                break
            end = _end_of_value(text, beginning)
            more = _rows(_json(text[beginning:end])) if end > 0 else None
            if more is None:
                return [], f"the second call cannot be read: {text[beginning:][:80]!r}"
            rows, position = rows + more, end
        return rows, None
    return [], f"not a JSON array of calls: {text[:80]!r}"


def _tagged(text: str) -> list[str]:
    """What stands in each ``<tool_call>``; the last one may be left open."""
    parts, position = [], 0
    while (start := text.find(_TAG, position)) >= 0:
        start += len(_TAG)
        end = text.find(_UNTAG, start)
        parts.append(text[start:end] if end >= 0 else text[start:])
        if end < 0:
            break
        position = end + len(_UNTAG)
    return parts


def _in_fence(text: str) -> str | None:
    start = text.find("```")
    if start < 0:
        return None
    end = text.find("```", start + 3)
    return text[start + 3 : end] if end >= 0 else text[start + 3 :]


def _end_of_value(text: str, start: int) -> int:
    """Where the bracket that opens at ``start`` is closed; -1 where it never is, or ``DEEPEST`` is passed."""
    depth, in_string, escaped = 0, False, False
    for position in range(start, len(text)):
        c = text[position]
        if in_string:
            if escaped:
                escaped = False
            elif c == "\\":
                escaped = True
            elif c == '"':
                in_string = False
        elif c == '"':
            in_string = True
        elif c in "[{":
            depth += 1
            if depth > DEEPEST:
                return -1
        elif c in "]}":
            depth -= 1
            if depth == 0:
                return position + 1
    return -1


def _json(text: str) -> Any:
    """A list or an object that can be stored as JSON again; None for all else. Depth is bounded before parsing:
    nested brackets must not exhaust the stack."""
    if text[:1] not in ("[", "{") or _end_of_value(text, 0) != len(text):
        return None
    try:
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
        json.dumps(value, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except (ValueError, RecursionError):
        return None
    return value


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number beyond what can be written")
    return number


def _rows(value: Any) -> Rows | None:
    if isinstance(value, dict):
        value = value.get("tool_calls", [value])
    if not isinstance(value, list):
        return None
    rows = []
    for item in value:
        if isinstance(item, dict) and isinstance(item.get("function"), dict):
            item = item["function"]
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            return None
        arguments = item.get("arguments", item.get("parameters", {}))
        if isinstance(arguments, str):
            arguments = _json(arguments.strip())
        if not isinstance(arguments, dict):
            return None
        rows.append((item["name"], arguments))
    return rows

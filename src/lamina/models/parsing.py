"""From what a model wrote to calls. The one parser for all of Lamina: strict JSON first, then what models really
write; whatever else is a problem said in a sentence, never an exception and never evaluated.

What had to be repaired is listed, and each repair costs confidence: 1.0 is what was asked for, below ``TRUSTED`` the
parser had to guess. Time grows linearly with the text."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

from lamina.models.call_marks import fenced, marked_parts, without_ends
from lamina.models.json_spans import closings, end_of_value, load_value
from lamina.models.python_calls import python_calls, python_value
from lamina.tools import Toolbox
from lamina.trajectories import ToolCall

LONGEST = 100_000
"""Characters that are looked at; no call is longer."""
NOTHING = "the model wrote nothing"
STARTS_TRIED = 8
STRICT, TRUSTED, ANYTHING = 1.0, 0.5, 0.0
"""The least confidence: of evaluation, of everyday use, of those who want whatever can be made out."""
WORDS, SPELLING, LINES, SYNTAX, KEYS, CLOSED = (
    "other words around the calls",
    "values in Python's spelling",
    "raw line breaks in a text",
    "Python calls instead of JSON",
    "unusual names of the keys",
    "it breaks off and was closed",
)
REPAIRS = {WORDS: 0.9, SPELLING: 0.9, LINES: 0.95, SYNTAX: 0.95, KEYS: 0.95, CLOSED: 0.3}
"""What each repair leaves of the confidence: our choice. Marks of a model family and code fences cost nothing."""
_START = re.compile(r"[\[{]")
_BETWEEN = re.compile(r"[\s,;]{0,200}")
_NAME_KEYS = ("name", "function", "function_name", "tool_name", "tool", "api_name", "action")
_ARGUMENT_KEYS = ("arguments", "parameters", "args", "input", "tool_input", "action_input")
_USUAL = ("name", "arguments", "parameters")

Rows = list[tuple[str, dict[str, Any]]]


@dataclass(frozen=True)
class Reading:
    """``problem``: why there are no calls (``[]`` written on purpose is none). ``confidence``: 0 with a problem."""

    calls: list[ToolCall] = field(default_factory=list)
    problem: str | None = None
    repairs: tuple[str, ...] = ()

    @property
    def confidence(self) -> float:
        return 0.0 if self.problem else math.prod(REPAIRS[repair] for repair in self.repairs)


@dataclass(frozen=True)
class _Part:
    rows: Rows
    problem: str | None = None
    """With rows: what would be wrong with them had nothing been closed."""
    repairs: frozenset[str] = frozenset()


def parse_calls(text: str, toolbox: Toolbox | None = None) -> tuple[list[ToolCall], str | None]:
    """Calls and, where they could not be read with ``TRUSTED`` confidence, the problem: what every backend does."""
    reading = read_calls(text, toolbox)
    return reading.calls, reading.problem


def read_calls(text: str, toolbox: Toolbox | None = None, *, least: float = TRUSTED) -> Reading:
    """Reads the calls in ``text``; with less than the ``least`` confidence there is a problem instead. With a
    ``toolbox`` unknown functions and arguments that don't fit are problems too.

    Read are: an array of calls, one call, an object with ``tool_calls``, Python calls; in a code fence, in the marks
    of a model family, amid other words; one that breaks off only with ``least=ANYTHING``."""
    text = text.strip("\ufeff\x00 \t\r\n")
    if not text:
        return Reading(problem=NOTHING)
    if len(text) > LONGEST:
        return Reading(problem=f"the model wrote {len(text)} characters; no call is that long")
    part = _read(text, toolbox)
    reading = Reading([ToolCall.of(*row) for row in part.rows], None, tuple(sorted(part.repairs)))
    if part.problem is not None and CLOSED not in part.repairs:
        return Reading(problem=part.problem)
    if reading.confidence < least:
        return Reading(problem=part.problem or f"needs repair: {', '.join(reading.repairs)}")
    problem = _misfit(reading.calls, toolbox)
    return Reading(problem=problem) if problem else reading


def _misfit(calls: list[ToolCall], toolbox: Toolbox | None) -> str | None:
    for call in calls if toolbox is not None else []:
        tool = toolbox.get(call.name) if toolbox else None
        if tool is None:
            return f"there is no function {call.name!r}"
        if problems := tool.problems(call.arguments):
            return problems[0]
    return None


def _read(text: str, toolbox: Toolbox | None) -> _Part:
    whole = load_value(text)
    if whole is not None:
        part = _part_of(whole, toolbox)
        return part or _Part([], f"JSON, but not calls: {text[:80]!r}")
    text = without_ends(text)
    if (marked := marked_parts(text)) is not None:
        return _together([_read_part(inner, toolbox) for inner in marked])
    if (fence := fenced(text)) is not None:
        inside, words = fence
        part = _read_part(inside, toolbox)
        return _Part(part.rows, part.problem, part.repairs | {WORDS}) if words else part
    return _read_part(text, toolbox)


def _together(parts: list[_Part]) -> _Part:
    failed = next((part for part in parts if part.problem is not None and not part.repairs), None)
    if failed is not None:
        return failed
    doubt = next((part.problem for part in parts if part.problem is not None), None)
    return _Part([row for part in parts for row in part.rows], doubt, frozenset().union(*(p.repairs for p in parts)))


def _read_part(text: str, toolbox: Toolbox | None) -> _Part:
    text = text.strip()
    whole = load_value(text)
    if whole is not None and (part := _part_of(whole, toolbox)) is not None:
        return part
    found = _first_calls(text, toolbox)
    if found.problem is None:
        return found
    written = python_calls(text, set(toolbox.names) if toolbox else None)
    if written is not None:
        rows, alone = written
        return _Part(rows, None, frozenset({SYNTAX} if alone else {SYNTAX, WORDS}))
    return found


def _first_calls(text: str, toolbox: Toolbox | None) -> _Part:
    """The first value in the text that is calls; objects that follow each other are taken together."""
    position = 0
    for _ in range(STARTS_TRIED):
        found = _START.search(text, position)
        if found is None:
            break
        start = found.start()
        value, position, repairs = value_at(text, start)
        if position < 0:
            return _closed(text, start, toolbox)
        part = _part_of(value, toolbox)
        if part is None:
            continue
        rows, repairs = part.rows, repairs | part.repairs
        while isinstance(value, dict):
            follows = _BETWEEN.match(text, position)
            beginning = follows.end() if follows else position
            if not text.startswith("{", beginning):
                break
            value_after, end, more = value_at(text, beginning)
            after = _part_of(value_after, toolbox) if end > 0 else None
            if after is None:
                return _Part([], f"the second call cannot be read: {text[beginning:][:80]!r}")
            rows, position, repairs = rows + after.rows, end, repairs | more | after.repairs
        around = text[:start] + text[position:].strip(" \n\r\t;,]}")
        return _Part(rows, None, repairs | {WORDS} if around.strip() else repairs)
    return _Part([], f"not a JSON array of calls: {text[:80]!r}")


def value_at(text: str, start: int) -> tuple[Any, int, frozenset[str]]:
    """The value whose bracket opens at ``start``, where it ends (-1: it does not), and what was repaired."""
    end = end_of_value(text, start)
    value = load_value(text[start:end]) if end > 0 else None
    if value is not None:
        return value, end, frozenset()
    if end > 0 and (value := load_value(text[start:end], line_breaks=True)) is not None:
        return value, end, frozenset({LINES})
    apart = end_of_value(text, start, quotes="\"'")
    if apart > 0 and (value := python_value(text[start:apart])) is not None:
        return value, apart, frozenset({SPELLING})
    return None, end, frozenset()


def _closed(text: str, start: int, toolbox: Toolbox | None) -> _Part:
    problem = f"the JSON breaks off or is nested too deeply: {text[start:][:80]!r}"
    for candidate in closings(text, start):
        part = _part_of(load_value(candidate), toolbox)
        if part is not None and part.rows:
            return _Part(part.rows, problem, part.repairs | {CLOSED})
    return _Part([], problem)


def _part_of(value: Any, toolbox: Toolbox | None) -> _Part | None:
    """The calls that a value is, or None."""
    if isinstance(value, dict):
        value = value.get("tool_calls", [value])
    if not isinstance(value, list):
        return None
    rows: Rows = []
    repairs: set[str] = set()
    for item in value:
        row = _row(item, toolbox)
        if row is None:
            return None
        name, arguments, usual = row
        rows.append((name, arguments))
        repairs |= set() if usual else {KEYS}
    return _Part(rows, None, frozenset(repairs))


def _row(item: Any, toolbox: Toolbox | None) -> tuple[str, dict[str, Any], bool] | None:
    """Name, arguments, and whether they stood under the usual keys. ``{"f": {…}}`` is a call where f is a tool."""
    if isinstance(item, dict) and isinstance(item.get("function"), dict):
        item = item["function"]
    if not isinstance(item, dict):
        return None
    name_key = next((k for k in _NAME_KEYS if isinstance(item.get(k), str)), None)
    argument_key = next((k for k in _ARGUMENT_KEYS if k in item), None)
    if name_key is None or (argument_key is None and name_key != "name"):
        only = next(iter(item)) if len(item) == 1 else None
        if toolbox is None or only not in toolbox or not isinstance(item[only], dict):
            return None
        return str(only), item[only], False
    arguments = item[argument_key] if argument_key else {}
    if isinstance(arguments, str):
        arguments = load_value(arguments.strip())
    if not isinstance(arguments, dict):
        return None
    return item[name_key], arguments, name_key in _USUAL and argument_key in (*_USUAL, None)

"""Which values are calls: the keys that models use, and what repairs a reading may have needed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from lamina.models.json_spans import closings, load_value, open_brackets
from lamina.tools import Toolbox

WORDS, SEVERAL, SYNTAX, KEYS, NULLS, BRACKETS, CLOSED = (
    "other words around the calls",
    "calls in several places",
    "Python calls instead of JSON",
    "unusual names of the keys",
    "null for an argument that is left out",
    "closing brackets missing after the last call",
    "it breaks off and was closed",
)
LIKE_A_CALL = re.compile(
    r"""["'](?:name|function)["']\s{0,8}:\s{0,8}["'][\w.-]{1,128}["']\s{0,8},\s{0,8}["'](?:arguments|parameters)["']\s{0,8}:"""
)
"""What somebody wrote who meant a call, also where it cannot be read."""
_NAME_KEYS = ("name", "function", "function_name", "tool_name", "tool", "api_name", "action")
_ARGUMENT_KEYS = ("arguments", "parameters", "args", "input", "tool_input", "action_input")
_USUAL = ("name", "arguments", "parameters")
_BESIDE_A_NAME = {"name", "type", "id", "index"}

Rows = list[tuple[str, dict[str, Any]]]


@dataclass(frozen=True)
class Part:
    rows: Rows
    problem: str | None = None
    """With rows: what would be wrong with them had nothing been closed."""
    repairs: frozenset[str] = frozenset()


def closed(text: str, start: int, toolbox: Toolbox | None) -> Part:
    """What breaks off, with its brackets closed. Where the arguments of its last call are whole, only brackets are
    missing; else a value may be cut, or an argument lost."""
    problem = f"the JSON breaks off or is nested too deeply: {text[start:][:80]!r}"
    words = {WORDS} if text[:start].strip() else set()
    for number, candidate in enumerate(closings(text, start)):
        value = load_value(candidate)
        part = part_of(value, toolbox)
        if part is not None and part.rows:
            whole = number == 0 and text.rstrip()[-1] in "]}"
            mended = BRACKETS if whole and not _is_open(part.rows[-1][1], value, text, start) else CLOSED
            return Part(part.rows, problem, part.repairs | words | {mended})
    return Part([], problem)


def _is_open(arguments: dict[str, Any], value: Any, text: str, start: int) -> bool:
    """Whether what ``text`` leaves open may be within ``arguments``: its open brackets are those of ``value`` and of
    the last thing in it, the last thing in that, and so on. An open string may be anywhere."""
    depth = open_brackets(text, start)
    for _ in range(depth or 0):
        if value is arguments or not isinstance(value, dict | list):
            return True
        value = next(reversed(value.values() if isinstance(value, dict) else value), None)
    return depth is None


def part_of(value: Any, toolbox: Toolbox | None) -> Part | None:
    """The calls that a value is, or None."""
    if isinstance(value, dict):
        value = value["tool_calls"] if value.get("tool_calls") is not None else [value]
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
    return Part(rows, None, frozenset(repairs))


def _row(item: Any, toolbox: Toolbox | None) -> tuple[str, dict[str, Any], bool] | None:
    """Name, arguments, and whether they stood under the usual keys. ``{"f": {…}}`` is a call where f is a tool, and so
    is a name without arguments; where no tools are known, ``{"name": "Ann", "age": 3}`` is somebody."""
    usual = True
    for wrapper in ("function", "function_call"):
        if isinstance(item, dict) and isinstance(item.get(wrapper), dict):
            item, usual = item[wrapper], wrapper == "function"
    if not isinstance(item, dict):
        return None
    name_key = next((k for k in _NAME_KEYS if isinstance(item.get(k), str)), None)
    argument_key = next((k for k in _ARGUMENT_KEYS if k in item), None)
    if name_key is None or (argument_key is None and name_key != "name"):
        only = next(iter(item)) if len(item) == 1 else None
        if toolbox is None or only not in toolbox or not isinstance(item[only], dict):
            return None
        return str(only), item[only], False
    if argument_key is None and (toolbox is None or item["name"] not in toolbox or set(item) - _BESIDE_A_NAME):
        return None
    arguments = item[argument_key] if argument_key else {}
    if isinstance(arguments, str):
        arguments = load_value(arguments.strip())
    if not isinstance(arguments, dict):
        return None
    return item[name_key], arguments, usual and name_key in _USUAL and argument_key in (*_USUAL, None)

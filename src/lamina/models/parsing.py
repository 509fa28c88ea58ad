"""From what a model wrote to calls. Strict JSON first, then the usual wrappings; whatever else is a problem said in
a sentence, never an exception and never evaluated."""

from __future__ import annotations

import json
import re
from typing import Any

from lamina.tools import Toolbox
from lamina.trajectories import ToolCall

LONGEST = 100_000
"""Characters that are looked at; no call is longer."""
DEEPEST = 64
_TAGS = re.compile(r"<tool_call>\s*(.*?)\s*</tool_call>", re.DOTALL)
_FENCE = re.compile(r"```(?:json)?\s*(.*?)```", re.DOTALL)


def parse_calls(text: str, toolbox: Toolbox | None = None) -> tuple[list[ToolCall], str | None]:
    """Calls and, where they could not be read, the problem. ``[]`` written on purpose is no problem. With a
    ``toolbox`` unknown functions and arguments that don't fit are problems too."""
    text = text.strip().strip("\x00").strip()
    if not text:
        return [], "the model wrote nothing"
    if len(text) > LONGEST:
        return [], f"the model wrote {len(text)} characters; no call is that long"
    found = next((v for v in (_json(t) for t in _readings(text)) if v is not None), None)
    if found is None:
        return [], f"not a JSON array of calls: {text[:80]!r}"
    rows = _rows(found)
    if rows is None:
        return [], f"JSON, but not calls: {text[:80]!r}"
    calls = [ToolCall.of(name, arguments) for name, arguments in rows]
    for call in calls if toolbox is not None else []:
        tool = toolbox.get(call.name) if toolbox else None
        if tool is None:
            return [], f"there is no function {call.name!r}"
        if problems := tool.problems(call.arguments):
            return [], problems[0]
    return calls, None


def _readings(text: str) -> list[str]:
    """The text as it is, then without a fence, without tags, then from its first bracket to its last."""
    readings = [text]
    readings += [m.group(1) for m in _FENCE.finditer(text)][:1]
    tagged = [m.group(1) for m in _TAGS.finditer(text)]
    if tagged:
        readings.append("[" + ", ".join(tagged) + "]")
    for opening, closing in (("[", "]"), ("{", "}")):
        start, end = text.find(opening), text.rfind(closing)
        if 0 <= start < end:
            readings.append(text[start : end + 1])
    return readings


def _json(text: str) -> Any:
    """The value, or None. Depth is bounded before parsing: nested brackets must not exhaust the stack."""
    depth = deepest = 0
    for c in text:
        if c in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif c in "]}":
            depth -= 1
    if deepest > DEEPEST:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, list | dict) else None


def _rows(value: Any) -> list[tuple[str, dict[str, Any]]] | None:
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
            arguments = _json(arguments)
        if not isinstance(arguments, dict):
            return None
        rows.append((item["name"], arguments))
    return rows

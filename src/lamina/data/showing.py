"""Show: a record as a person would read it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lamina.tools.plain_schemas import sound_schema
from lamina.trajectories import Message, Trajectory

LONGEST = 600
"""Characters of one text; the rest is only counted."""
_WHO = {"user": "User", "assistant": "Assistant", "system": "System", "tool": "Result"}


def shown(trajectory: Trajectory) -> Iterator[str]:
    """Lines: where the record is from, the tools, then the dialogue."""
    meta = trajectory.meta
    told = [meta.source, meta.style, meta.license, *(f"{c.name} {c.verdict}" for c in meta.checks)]
    yield f"{trajectory.id}  ({', '.join(filter(None, told)) or 'no source'})"
    for tool in trajectory.tools:
        inner = tool.get("function")
        yield f"  tool {_signature(inner if isinstance(inner, dict) else tool)}"
    results = 0
    for message in trajectory.messages:
        yield from _lines(message)
        if message.role == "tool":
            if results in trajectory.truncated:
                yield f"  (that result is cut: the record holds its first {len(message.content):,} characters)"
            results += 1
    mended = (meta.model_extra or {}).get("mended")
    for change in mended if isinstance(mended, list) else []:
        yield f"  mended {change}"


def _signature(function: dict[str, Any]) -> str:
    """``name(city: string, days?: integer)  what it does``"""
    given = function.get("parameters")
    parameters = sound_schema(given) if isinstance(given, dict) else {}
    needed = parameters.get("required", [])
    parts = [
        f"{name}{'' if name in needed else '?'}: {_type(spec)}"
        for name, spec in parameters.get("properties", {}).items()
    ]
    return f"{function.get('name')}({', '.join(parts)})  {_short(str(function.get('description') or ''), 100)}"


def _type(spec: Any) -> str:
    kind = spec.get("type", "any") if isinstance(spec, dict) else "any"
    return "|".join(map(str, kind)) if isinstance(kind, list) else str(kind)


def _lines(message: Message) -> Iterator[str]:
    who = _WHO[message.role] + (f" of {message.name}" if message.name else "")
    if reasoned := getattr(message, "reasoning_content", None):
        yield f"  {who} thinks: {_short(str(reasoned), LONGEST)}"
    calls = message.tool_calls or []
    if message.content or not calls:
        said = "thinks" if calls and not reasoned else "says" if message.role != "tool" else ""
        yield f"  {who}{f' {said}' if said else ''}: {_short(message.content, LONGEST) or '(nothing)'}"
    for call in calls:
        arguments = ", ".join(f"{name}={value!r}" for name, value in call.arguments.items())
        yield f"  {who} calls {call.name}({_short(arguments, LONGEST)})"


def _short(text: str, most: int) -> str:
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return plain if len(plain) <= most else f"{plain[:most]}… ({len(plain):,} characters)"

"""What a record lost on its way through a format: it is read back and compared, field by field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from lamina.trajectories.trajectory import Message, Trajectory

MEANING = ("calls", "results")
"""A format that loses one of these has not held the record; all else is context."""
TURNS = "turns"
"""The record came back with fewer turns of the user (messages one after the other are one turn)."""


def differences(before: Trajectory, after: Sequence[Trajectory]) -> Counter[str]:
    """Names of the fields that differ, each counted once."""
    if len(after) != 1:
        return Counter(["record"])
    back = after[0]
    pairs: dict[str, tuple[Any, Any]] = {"tools": (before.tools, back.tools)}
    for field, view in _VIEWS.items():
        pairs[field] = (view(before.messages), view(back.messages))
    found = Counter(field for field, (a, b) in pairs.items() if a != b)
    if _turns(before.messages) > _turns(back.messages):
        found[TURNS] += 1
    if before.id != back.id:
        found["id"] += 1
    old, new = before.meta.model_dump(exclude_none=True), back.meta.model_dump(exclude_none=True)
    for key, value in old.items():
        if value not in ("", [], None) and new.get(key) != value:
            found[f"meta.{key}"] += 1
    return found


def _calls(messages: list[Message]) -> list[Any]:
    turns = [[(c.name, c.arguments) for c in m.tool_calls or []] for m in messages if m.role == "assistant"]
    return [turn for turn in turns if turn]


def _turns(messages: list[Message]) -> int:
    roles = [m.role for m in messages if m.role != "system"]
    return sum(role == "user" and (n == 0 or roles[n - 1] != "user") for n, role in enumerate(roles))


def _words(role: str) -> Any:
    return lambda messages: [m.content for m in messages if m.role == role]


def _answers(messages: list[Message]) -> list[str]:
    return [m.content for m in messages if m.role == "assistant" and not m.tool_calls]


def _thoughts(messages: list[Message]) -> list[Any]:
    return [
        (m.content.strip() if m.tool_calls else "", getattr(m, "reasoning_content", None) or "")
        for m in messages
        if m.role == "assistant"
    ]


def _ids(messages: list[Message]) -> list[Any]:
    return [[c.id for c in m.tool_calls or []] or m.tool_call_id for m in messages]


_OWN = set(Message.model_fields) | {"reasoning_content"}


def _more(messages: list[Message]) -> list[Any]:
    return [{k: v for k, v in (m.model_extra or {}).items() if k not in _OWN and v is not None} for m in messages]


def _order(messages: list[Message]) -> list[str]:
    return [m.role for m in messages]


_VIEWS: dict[str, Any] = {
    "calls": _calls,
    "results": _words("tool"),
    "results.name": lambda messages: [m.name for m in messages if m.role == "tool"],
    "system": _words("system"),
    "requests": _words("user"),
    "answers": _answers,
    "thoughts": _thoughts,
    "ids": _ids,
    "order": _order,
    "message keys": _more,
}

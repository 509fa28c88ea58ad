"""How a model that judges reads a row: the functions on offer, the clock, and what was said, called and returned."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from lamina.tools import Tool
from lamina.trajectories import Message

LONGEST = 300
"""Characters of a description, a message or a result that it reads."""


def setting(tools: Iterable[Tool], now: str | None) -> str:
    """The functions on offer and, where the row has one, the clock that "tomorrow" refers to."""
    listed = "\n".join(f"- {t.name}({', '.join(t.properties)}): {t.description[:LONGEST]}" for t in tools)
    return f"Functions:\n{listed}\n\n" + (f"Now: {_with_weekday(now)}\n\n" if now else "")


def _with_weekday(now: str) -> str:
    try:
        return f"{now} ({datetime.fromisoformat(now):%A})"
    except ValueError:  # a clock of somebody else's data is shown as it is written there
        return now


def said(message: Message) -> str:
    """A message on lines of its own; empty for a turn in which nothing is said or called."""
    calls = [f"{c.name}({json.dumps(c.arguments, ensure_ascii=False)})" for c in message.tool_calls or []]
    text = message.content.strip()[:LONGEST]
    if message.role == "tool":
        return f"Result: {text}"
    who = "User" if message.role == "user" else "Assistant"
    return "\n".join([*([f"{who}: {text}"] if text else []), *(f"{who} calls {call}" for call in calls)])


def dialogue(messages: Iterable[Message]) -> str:
    """All of it, but for instructions and turns without words or calls."""
    return "\n".join(filter(None, (said(m) for m in messages if m.role != "system")))

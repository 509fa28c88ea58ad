"""What a writer of pairs answered, taken apart. A JSON array is what is asked for; JSON lines, several objects amid
other words and an object around the array are read as well. What cannot be read is a pair with a problem."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from lamina.models.parsing import LONGEST, parse_calls, value_at
from lamina.synth.writers import one_line
from lamina.trajectories import ToolCall

_PAIR = re.compile(r"""\{\s*["']query["']""")
"""How a pair begins: where reading goes on after one that breaks off."""


@dataclass(frozen=True)
class Pair:
    """A request with the calls that answer it, ``[]`` for none; or the ``problem`` with what was written."""

    raw: str
    request: str = ""
    calls: tuple[ToolCall, ...] = ()
    problem: str = ""


def pairs_in(text: str, most: int) -> list[Pair]:
    """At most ``most`` pairs in the order in which they were written, those with a problem among them. A writer that
    goes on after that is not read: it was asked for no more."""
    text = text[:LONGEST]
    found: list[Pair] = []
    at = text.find("{")
    while at >= 0 and len(found) < most:
        value, end, _ = value_at(text, at)
        if end < 0:
            following = _PAIR.search(text, at + 1)
            end = following.start() if following else len(text)
        found += _pairs_of(value, text[at:end])
        at = text.find("{", end)
    if not found and text.strip(" \r\n\t[]"):
        return [Pair(text, problem="there is no JSON object in it")]
    return found[:most]


def _pairs_of(value: Any, raw: str) -> list[Pair]:
    """One pair, or those that an object around them holds; none where ``raw`` is but the opening of such an object."""
    if not isinstance(value, dict):
        opening = re.fullmatch(r"\{\s*\"\w+\"\s*:\s*\[\s*", raw)
        return [] if opening else [Pair(raw, problem="the pair breaks off or is no JSON")]
    around = [inner for inner in value.values() if isinstance(inner, list)] if "query" not in value else []
    held = [one for inner in around for one in inner if isinstance(one, dict) and "query" in one]
    return [_pair(one, json.dumps(one, ensure_ascii=False)) for one in held] or [_pair(value, raw)]


def _pair(value: dict[str, Any], raw: str) -> Pair:
    request, answers = value.get("query"), value.get("answers")
    if not isinstance(request, str) or answers is None:
        lacking = "answers" if isinstance(request, str) else "query"
        return Pair(raw, problem=f"the pair has no {lacking!r} (it has {', '.join(list(value)[:6])})")
    calls, problem = parse_calls(answers if isinstance(answers, str) else json.dumps(answers))
    return Pair(raw, problem=problem) if problem else Pair(raw, one_line(request), tuple(calls))

"""From what a model wrote to calls. The one parser for all of Lamina: strict JSON first, then what models really
write; whatever else is a problem said in a sentence, never an exception and never evaluated.

What had to be repaired is listed, and each repair costs confidence: 1.0 is what was asked for, below ``TRUSTED`` the
parser had to guess. Time grows linearly with the text."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

from lamina.models.call_marks import Segment, fenced_segments, marked_segments, spoken
from lamina.models.call_values import (
    BRACKETS,
    CLOSED,
    KEYS,
    LIKE_A_CALL,
    NULLS,
    SEVERAL,
    SYNTAX,
    WORDS,
    Part,
    part_of,
)
from lamina.models.calls_amid_words import calls_amid
from lamina.models.json_spans import load_value
from lamina.models.python_calls import python_calls
from lamina.models.values_amid_text import LINES, SPELLING, outline
from lamina.tools import Toolbox
from lamina.trajectories import ToolCall

LONGEST = 100_000
"""Characters that are looked at; no call is longer."""
NOTHING = "the model wrote nothing"
STRICT, TRUSTED, ANYTHING = 1.0, 0.5, 0.0
"""The least confidence: of evaluation, of everyday use, of those who want whatever can be made out."""
REPAIRS = {
    WORDS: 0.9, SEVERAL: 0.9, SPELLING: 0.9, NULLS: 0.9, LINES: 0.95, SYNTAX: 0.95, KEYS: 0.95, BRACKETS: 0.6,
    CLOSED: 0.3,
}  # fmt: skip
"""What each repair leaves of the confidence: our choice. Marks of a model family and code fences cost nothing."""


@dataclass(frozen=True)
class Reading:
    """``problem``: why there are no calls (``[]`` written on purpose is none). ``confidence``: 0 with a problem."""

    calls: list[ToolCall] = field(default_factory=list)
    problem: str | None = None
    repairs: tuple[str, ...] = ()

    @property
    def confidence(self) -> float:
        return 0.0 if self.problem else math.prod(REPAIRS[repair] for repair in self.repairs)


def parse_calls(
    text: str, toolbox: Toolbox | None = None, *, truncated: bool = False
) -> tuple[list[ToolCall], str | None]:
    """Calls and, where they could not be read with ``TRUSTED`` confidence, the problem: what every backend does."""
    reading = read_calls(text, toolbox, truncated=truncated)
    return reading.calls, reading.problem


def read_reply(
    text: str, toolbox: Toolbox | None, unread: str | None = None, *, truncated: bool = False
) -> dict[str, Any]:
    """The parts of a ``Reply`` that say what its text calls. Nothing is read where there are no tools, or where
    ``unread`` says already why it cannot be."""
    if toolbox is None or unread is not None:
        return {"problem": unread}
    found = read_calls(text, toolbox, truncated=truncated)
    return {
        "calls": found.calls, "problem": found.problem, "repairs": found.repairs, "confidence": found.confidence,
    }  # fmt: skip


def read_calls(
    text: str, toolbox: Toolbox | None = None, *, least: float = TRUSTED, truncated: bool = False
) -> Reading:
    """Reads the calls in ``text``; with less than the ``least`` confidence there is a problem instead. With a
    ``toolbox`` unknown functions and arguments that don't fit are problems too.

    Read are: an array of calls, one call, an object with ``tool_calls``, Python calls; in a code fence, in the marks
    of a model family, amid other words; one that breaks off within its arguments only with ``least=ANYTHING``. A null
    where the schema wants none, for an argument that may be left out, is that argument left out. ``truncated``: the
    text ends where it had no more room, so that missing brackets may mean missing calls, a problem too."""
    text = text.strip("\ufeff\x00 \t\r\n")
    if not text:
        return Reading(problem=NOTHING)
    if len(text) > LONGEST:
        return Reading(problem=f"the model wrote {len(text)} characters; no call is that long")
    part = _read(text, toolbox)
    if part.problem is not None and not part.repairs & {BRACKETS, CLOSED}:
        return Reading(problem=part.problem)
    rows = [(name, _without_nulls(name, arguments, toolbox)) for name, arguments in part.rows]
    repairs = part.repairs | ({NULLS} if rows != part.rows else set())
    reading = Reading([ToolCall.of(*row) for row in rows], None, tuple(sorted(repairs)))
    if reading.confidence < least or (truncated and least > ANYTHING and BRACKETS in reading.repairs):
        return Reading(problem=part.problem or f"needs repair: {', '.join(reading.repairs)}")
    problem = _misfit(reading.calls, toolbox)
    return Reading(problem=problem) if problem else reading


def _without_nulls(name: str, arguments: dict[str, Any], toolbox: Toolbox | None) -> dict[str, Any]:
    tool = toolbox.get(name) if toolbox is not None else None
    if tool is None or None not in arguments.values():
        return arguments
    alone = replace(tool, parameters={**tool.sound_parameters, "required": []})
    optional = set(tool.properties) - set(tool.required)
    return {k: v for k, v in arguments.items() if v is not None or k not in optional or not alone.problems({k: v})}


def _misfit(calls: list[ToolCall], toolbox: Toolbox | None) -> str | None:
    for call in calls if toolbox is not None else []:
        tool = toolbox.get(call.name) if toolbox else None
        if tool is None:
            return f"there is no function {call.name!r}"
        if problems := tool.problems(call.arguments):
            return problems[0]
    return None


def _read(text: str, toolbox: Toolbox | None) -> Part:
    whole = load_value(text)
    if whole is not None:
        part = part_of(whole, toolbox)
        return part or Part([], f"JSON, but not calls: {text[:80]!r}")
    said = spoken(text)
    if said is None:
        return Part([], f"the thought never ends, and nothing in it is a call: {text[:80]!r}")
    hidden = outline(said)
    if (marked := marked_segments(said, hidden, toolbox)) is not None:
        return _read_marked(marked, toolbox)
    fenced = fenced_segments(said, hidden)
    return _read_fenced(fenced, toolbox) if fenced is not None else _read_part(said, toolbox)


def _read_marked(segments: list[Segment], toolbox: Toolbox | None) -> Part:
    """Words around the marks cost nothing, unless they may be about the marks; calls among them do."""
    parts = []
    for segment in segments:
        if segment.inside:
            part = _read_part(segment.text, toolbox)
            parts.append(replace(part, repairs=part.repairs | {WORDS}) if segment.quoted else part)
        elif (outside := calls_amid(segment.text, toolbox)).problem is None and outside.rows:
            parts.append(Part(outside.rows, None, outside.repairs | {WORDS, SEVERAL}))
        elif outside.problem is not None and LIKE_A_CALL.search(segment.text):
            parts.append(Part([], outside.problem))
    return _together(parts)


def _read_fenced(segments: list[Segment], toolbox: Toolbox | None) -> Part:
    """Fences without calls (an example, an output) and the words between are left out, unless there are no calls."""
    segments = [segment for segment in segments if segment.text.strip()]
    parts = [(_read_part if segment.inside else calls_amid)(segment.text, toolbox) for segment in segments]
    prose = "\n".join(segment.text for segment in segments if not segment.inside)
    calls = [part for part in parts if part.rows and part.problem is None]
    if calls:
        kept = [
            part
            for segment, part in zip(segments, parts, strict=True)
            if part in calls or (part.problem and LIKE_A_CALL.search(segment.text))
        ]
    else:
        kept = [part for segment, part in zip(segments, parts, strict=True) if segment.inside]
        if any(part.problem for part in kept) and prose and (said := _read_part(prose, toolbox)).rows:
            kept = [said]
    together = _together(kept) if kept else Part([], "there is nothing in the code fence")
    repairs = together.repairs | ({WORDS} if prose else set()) | ({SEVERAL} if len(segments) > 1 else set())
    return Part(together.rows, together.problem, repairs)


def _together(parts: list[Part]) -> Part:
    failed = next((part for part in parts if part.problem is not None and not part.repairs), None)
    if failed is not None:
        return failed
    doubt = next((part.problem for part in parts if part.problem is not None), None)
    return Part([row for part in parts for row in part.rows], doubt, frozenset().union(*(p.repairs for p in parts)))


def _read_part(text: str, toolbox: Toolbox | None) -> Part:
    text = text.strip()
    whole = load_value(text)
    if whole is not None and (part := part_of(whole, toolbox)) is not None:
        return part
    found = calls_amid(text, toolbox)
    if found.problem is None:
        return found
    written = python_calls(text, set(toolbox.names) if toolbox else None)
    if written is not None:
        rows, alone = written
        return Part(rows, None, frozenset({SYNTAX} if alone else {SYNTAX, WORDS}))
    return found

"""Grounding: does the request say what the call says, no less and no more?

Two deterministic questions, asked before any model judges (our choice, in the spirit of xLAM's argument
hallucination check, arXiv 2409.03215 section 4):

1. *Recoverable*: every argument value can be traced to the request, as ``evidence`` does it. Values equal to a
   declared default need not be said.
2. *Nothing left over*: numbers, weekdays, months and other day words of the request all belong to some
   argument. A request that says more than the call means another call.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from lamina.checks.evidence import Said, beside_values, heard, leaves_of, numbers_in, plain, values_of
from lamina.checks.names_said import names_of
from lamina.checks.reasons import Reason
from lamina.checks.rule import Candidate, Rejection
from lamina.checks.words_said import without
from lamina.tools import Toolbox
from lamina.tools.tool import JSON
from lamina.trajectories import ToolCall
from lamina.trajectories.number_readings import readings_in, to_float

_DAY_WORDS = re.compile(
    r"(?<!good )(?<!from )(?<!between )\b(monday|tuesday|wednesday|thursday|friday|saturday|sunday|today|tomorrow|"
    r"tonight|yesterday|noon|midnight|"
    r"january|february|march|april|june|july|august|september|october|november|december|weekend|"
    r"morning|evening|afternoon|next week|christmas|halloween|\d+ ?(?:am|pm))\b"
)

_CORRECTION = re.compile(
    r",? \b(?:no,? (?:no|wait|sorry|hang on|make (?:that|it))|no(?=,)|scratch that|sorry|i mean|i meant|actually|"
    r"make that)\b,? "
)
"""Takes back what was said just before ("fifty, no wait, sixty")."""
_TAKEN_BACK = 4
"""Words before a correction that are taken back (our choice)."""
_CORRECTED_WITHIN = 30
"""Characters after it in which the right number, day or address comes (our choice)."""

_ADDRESS = re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.]+\b|\bhttps?://\S+|\bwww\.\S+")


def missing_values(request: str, calls: Sequence[ToolCall], toolbox: Toolbox, now: str | None = None) -> list[str]:
    """Argument values, and keys that the call chose, which cannot be traced to the request, as sentences. ``now`` is
    the record's clock."""
    said = heard(request, now)
    return [
        f"{argument}={value!r} is not said in the request"
        for argument, value, schema in values_of(calls, toolbox)
        if said.trace(argument, value, schema).verdict == "missing"
    ] + [
        f"{argument} {value!r} is not said in the request"
        for argument, value, schema in beside_values(calls, toolbox)
        if said.trace_beside(argument, value, schema).verdict == "missing"
    ]


def left_over(request: str, calls: Sequence[ToolCall], toolbox: Toolbox, now: str | None = None) -> list[str]:
    """Numbers and day words of the request that no argument accounts for. Words that mean a date of the calls at the
    clock, amounts in another unit and what is taken back at once are accounted for, and so is how many calls there
    are ("two things: …")."""
    said = heard(request, now)
    values = values_of([ToolCall.of(c.name, _with_defaults(c, toolbox)) for c in calls], toolbox)
    texts = " | ".join(plain(str(value)) for _, value, _ in values)
    numbers = {to_float(v) for _, v, _ in values if isinstance(v, int | float) and not isinstance(v, bool)}
    numbers |= {*numbers_in(texts), *([float(len(calls))] if len(calls) > 1 else [])}
    rest = _corrected(without(said.text, _said_otherwise(said, values)))
    readings = readings_in(rest)
    meant = [r for r in readings if r.value in numbers]
    found = [
        f"the request says {r.value:g}, the calls don't"
        for r in readings
        if r.sure and r.value != 1 and not any(r.overlaps(m) for m in meant)
    ]
    for word in [*_DAY_WORDS.findall(rest), *_ADDRESS.findall(rest)]:
        if word not in texts:
            found.append(f"the request says {word!r}, the calls don't")
    return found + _other_choices(said, calls, toolbox)


def _corrected(text: str) -> str:
    """Without what the speaker takes back in the same breath."""
    for found in reversed(list(_CORRECTION.finditer(text))):
        right = text[found.end() : found.end() + _CORRECTED_WITHIN]
        if readings_in(right) or _DAY_WORDS.search(right) or _ADDRESS.search(right):
            text = f"{text[: found.start()].rsplit(' ', _TAKEN_BACK)[0]} | {text[found.end() :]}"
    return text


def _with_defaults(call: ToolCall, toolbox: Toolbox) -> JSON:
    tool = toolbox.get(call.name)
    return tool.with_defaults(call.arguments) if tool else call.arguments


def _said_otherwise(said: Said, values: Sequence[tuple[str, Any, JSON]]) -> list[str]:
    """Words that mean a date of the values, or an amount in another unit."""
    traced = [said.trace(*value) for value in values]
    return [e.words for e in traced if e.words and (e.by or "").startswith(("date", "unit"))]


def _other_choices(said: Said, calls: Sequence[ToolCall], toolbox: Toolbox) -> list[str]:
    """Enum values that the request names and no call, having that very argument, chooses ("add tea to the to-do list"
    with the list left at shopping). What the calls do say is taken out of the request first, so that "canadian
    dollars" does not also count as dollars."""
    tools = {tool.name: tool for call in calls if (tool := toolbox.get(call.name))}
    choices = {
        (name, prop): [(value, plain(str(value))) for value in schema["enum"]]
        for name, tool in tools.items()
        for prop, schema in tool.properties.items()
        if "enum" in schema
    }
    if not choices:
        return []
    leaves = [leaf for c in calls if c.name in tools for leaf in leaves_of(tools[c.name], _with_defaults(c, toolbox))]
    chosen = {plain(str(value)): str(schema.get("description", "")) for _, value, schema in leaves if "enum" in schema}
    phrases = {plain(str(value)) for _, value, schema in leaves if "enum" not in schema}
    phrases |= {name for value, told in chosen.items() for name in names_of(value, told) if len(name) > 2}
    left = Said(without(said.text, phrases))
    return [
        f"the request says {value!r}, {tool}.{name} does not"
        for (tool, name), values in choices.items()
        for value, word in values
        if word not in chosen and left.says_word(word)
    ]


STAGE = "grounding"


def check_grounding(candidate: Candidate, toolbox: Toolbox) -> Rejection | None:
    """Applies both questions to the first turn's calls; later turns use values that only results know. A
    refusal has no values to trace."""
    calls = candidate.turns[0] if candidate.turns else []
    if not calls:
        return None
    later = [c for turn in candidate.turns[1:] for c in turn]
    if missing := missing_values(candidate.request, calls, toolbox, candidate.now):
        return Rejection(STAGE, Reason.VALUE_NOT_IN_REQUEST, missing[0])
    if extra := left_over(candidate.request, [*calls, *later], toolbox, candidate.now):
        return Rejection(STAGE, Reason.REQUEST_SAYS_MORE, extra[0])
    return None

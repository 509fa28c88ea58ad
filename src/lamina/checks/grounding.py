"""Grounding: does the request say what the call says, no less and no more?

Two deterministic questions, asked before any model judges (our choice, in the spirit of xLAM's argument
hallucination check, arXiv 2409.03215 section 4):

1. *Recoverable*: every argument value can be traced to the request (numbers in digits or words, enum values
   by their own words, by common names of units and currencies, or by synonyms the tool's description gives; dates
   and times also by words that mean them at the record's clock).
   Values equal to a declared default need not be said.
2. *Nothing left over*: numbers, weekdays, months and other day words of the request all belong to some
   argument. A request that says more than the call means another call.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lamina.checks.evidence import Said, leaves_of, names_of, numbers_in, plain, values_of
from lamina.checks.moments import phrase_for
from lamina.checks.reasons import Reason
from lamina.checks.rule import Candidate, Rejection
from lamina.tools import Toolbox
from lamina.trajectories import ToolCall

_DAY_WORDS = re.compile(
    r"\b(monday|tuesday|wednesday|thursday|friday|saturday|sunday|today|tomorrow|tonight|yesterday|noon|midnight|"
    r"january|february|march|april|june|july|august|september|october|november|december|weekend|"
    r"morning|evening|afternoon|next week|christmas|halloween|\d+ ?(?:am|pm))\b"
)

_ADDRESS = re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.]+\b|\bhttps?://\S+|\bwww\.\S+")


def missing_values(request: str, calls: Sequence[ToolCall], toolbox: Toolbox, now: str | None = None) -> list[str]:
    """Argument values that cannot be traced to the request, as sentences; ``now`` is the record's clock."""
    said = Said(request, now)
    return [
        f"{argument}={value!r} is not said in the request"
        for argument, value, schema in values_of(calls, toolbox)
        if said.trace(argument, value, schema).verdict == "missing"
    ]


def left_over(request: str, calls: Sequence[ToolCall], toolbox: Toolbox, now: str | None = None) -> list[str]:
    """Numbers and day words of the request that no argument accounts for. Words that mean a date of the calls at the
    clock are accounted for."""
    values = [
        (value, schema)
        for call in calls
        if (tool := toolbox.get(call.name))
        for _, value, schema in leaves_of(tool, call.arguments)
    ]
    texts = " | ".join(plain(str(v)) for v, _ in values)
    numbers = {float(v) for v, _ in values if isinstance(v, int | float) and not isinstance(v, bool)}
    numbers |= set(numbers_in(texts))
    rest = plain(request)
    for phrase in filter(None, (phrase_for(str(v), rest, now) for v, _ in values if isinstance(v, str))):
        rest = rest.replace(phrase, " ")
    found = [f"the request says {n:g}, the calls don't" for n in numbers_in(rest) if n not in numbers and n != 1]
    for word in [*_DAY_WORDS.findall(rest), *_ADDRESS.findall(rest)]:
        if word not in texts:
            found.append(f"the request says {word!r}, the calls don't")
    return found + _other_choices(request, calls, toolbox)


def _other_choices(request: str, calls: Sequence[ToolCall], toolbox: Toolbox) -> list[str]:
    """Enum values that the request names and the call, having that very argument, does not choose
    ("add tea to the to-do list" with the list left at shopping). What the call does say is taken out of the
    request first, so that "canadian dollars" does not also count as dollars."""
    found: list[str] = []
    for call in calls:
        tool = toolbox.get(call.name)
        if tool is None:
            continue
        leaves = leaves_of(tool, tool.with_defaults(call.arguments))
        said = [plain(str(v)) for _, v, s in leaves if "enum" not in s]
        chosen = {plain(str(v)): s.get("description", "") for _, v, s in leaves if "enum" in s}
        said += [name for value, text in chosen.items() for name in names_of(value, text) if len(name) > 2]
        rest = plain(request)
        for phrase in sorted(said, key=len, reverse=True):
            rest = re.sub(rf"(?<!\w){re.escape(phrase)}(?!\w)", " ", rest)
        left = Said(rest)
        for name, schema in tool.properties.items():
            for value in schema.get("enum", []):
                if plain(str(value)) not in chosen and left.says_word(plain(str(value))):
                    found.append(f"the request says {value!r}, {call.name}.{name} does not")
    return found


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

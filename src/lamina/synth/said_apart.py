"""Of several calls each has its own value: does the request say them apart? (Our choice; found by reading rows of small
writers, docs/results/library.md.)

"slug holiday schedule bread" is one title as well as two, and "a slug for origami or comet" asks for one of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from lamina.checks.evidence import plain
from lamina.checks.reasons import Reason
from lamina.checks.rule import Candidate, Rejection
from lamina.trajectories import ToolCall

SHORT = 3
"""Letters of a value that may stand in a request as another word ("in", "it", "usd")."""
_ONE_OF_THEM = re.compile(r"[\"']? or (?:of |for |to |the )?[\"']?")
_COMPARES = re.compile(r"\?|\b(?:which|who|whether|either|any|both)\b|^(?:is|are|does|do|did|will|was|were) ")
"""Then each of two things is looked up."""


def run_together(candidate: Candidate) -> Rejection | None:
    """Only values that stand once, side by side, as they are; on lines of their own they are apart."""
    calls = candidate.turns[0] if candidate.turns else []
    text = plain(candidate.request.replace("\n", " ; "))
    owners: dict[tuple[int, int], set[int]] = {}
    for number, call in enumerate(calls):
        for place in _places(text, call):
            owners.setdefault(place, set()).add(number)
    single = sorted(
        (place, min(owned)) for place, owned in owners.items() if len(owned) == 1
    )  # shared: said once for all
    for ((_, end), one), ((start, _), other) in pairwise(single):
        between = text[end:start]
        if one == other or start < end:
            continue
        if between.isspace():
            return _rejected(f"nothing stands between {text[:end].split()[-1]!r} and {text[start:].split()[0]!r}")
        if _ONE_OF_THEM.fullmatch(between) and not _COMPARES.search(text):
            return _rejected(f"asks for one of two things: {text[max(0, end - 20) : start + 20]!r}")
    return None


def _rejected(detail: str) -> Rejection:
    return Rejection("grounding", Reason.REQUEST_SAYS_MORE, f"the values of two calls run together: {detail}")


def _places(text: str, call: ToolCall) -> Iterator[tuple[int, int]]:
    for value in _leaves(call.arguments):
        said = plain(f"{value:g}" if isinstance(value, float) else str(value))
        found = list(re.finditer(rf"(?<![\w.]){re.escape(said)}(?!\w|\.\d)", text)) if said else []
        if len(found) == 1 and not (isinstance(value, str) and len(said) <= SHORT):
            yield found[0].span()


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _leaves(one)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield value

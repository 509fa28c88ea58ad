"""Of several calls each has its own value: does the request say them apart? (Our choice; found by reading rows of small
writers, docs/results/library.md.)

"slug holiday schedule bread" is one title as well as two, and "origami or comet" asks for one of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from lamina.checks.evidence import plain
from lamina.checks.reasons import Reason
from lamina.checks.rule import Candidate, Rejection
from lamina.trajectories import ToolCall

_NOTHING = re.compile(r"[\"' ]*")
_ONE_OF_THEM = re.compile(r"[\"']? or (?:of |for |to |the )?[\"']?")


def run_together(candidate: Candidate) -> Rejection | None:
    """Only values that stand once, side by side, as they are."""
    calls = candidate.turns[0] if candidate.turns else []
    text = plain(candidate.request)
    owners: dict[tuple[int, int], set[int]] = {}
    for number, call in enumerate(calls):
        for place in _places(text, call):
            owners.setdefault(place, set()).add(number)
    places = sorted(
        (place, min(calls)) for place, calls in owners.items() if len(calls) == 1
    )  # what they share is said once
    for ((_, end), one), ((start, _), other) in pairwise(places):
        between = text[end:start]
        if one != other and start >= end:
            if _NOTHING.fullmatch(between):
                return _rejected(f"nothing stands between {text[:end].split()[-1]!r} and {text[start:].split()[0]!r}")
            if _ONE_OF_THEM.fullmatch(between) and not text.startswith(("either", "whether")):
                return _rejected(f"asks for one of two things: {text[max(0, end - 20) : start + 20]!r}")
    return None


def _rejected(detail: str) -> Rejection:
    return Rejection("grounding", Reason.REQUEST_SAYS_MORE, f"the values of two calls run together: {detail}")


def _places(text: str, call: ToolCall) -> Iterator[tuple[int, int]]:
    for value in _leaves(call.arguments):
        said = plain(f"{value:g}" if isinstance(value, float) else str(value))
        found = list(re.finditer(rf"(?<![\w.]){re.escape(said)}(?!\w|\.\d)", text)) if said else []
        if len(found) == 1:
            yield found[0].span()


def _leaves(value: Any) -> Iterator[Any]:
    inner: Sequence[Any] = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    for one in inner:
        yield from _leaves(one)
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        yield value

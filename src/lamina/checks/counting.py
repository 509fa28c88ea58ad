"""Counting: are there as many calls as the record's style has and as it was written for, of as many functions, and
none twice? (APIGen section 3.3 names the styles; checking their number of calls is our choice.) Styles that say nothing
of a number (``dependent``, ``multi-turn``) are left alone. And are there as many as the request's own words count?
(``unanswered``)"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from lamina.checks.reasons import Reason
from lamina.checks.rule import Candidate, Rejection
from lamina.checks.unanswered import unanswered
from lamina.tools import Toolbox
from lamina.trajectories import ToolCall, Trajectory, compare_calls

STAGE = "format"
CALLS: dict[str, tuple[int, float]] = {
    "simple": (1, 1),
    "multiple": (1, 1),
    "parallel": (2, float("inf")),
    "parallel-multiple": (2, float("inf")),
    "irrelevant": (0, 0),
    "irrelevance": (0, 0),
    "refusal": (0, 0),
    "missing-argument": (0, 0),
}
"""The least and the most calls that the answer to one request of a style has."""
OPEN_STYLES = frozenset(style for style, (_, most) in CALLS.items() if most == float("inf"))
"""Those that leave the number open: a row of theirs has its own (``meta.expected_calls``)."""


def check_count(style: str, turns: Sequence[Sequence[Any]], expected: int = 0) -> Rejection | None:
    """``turns``: the calls of each assistant turn that answers ONE request. Only the first turn counts: what follows
    a result may well be the next step. ``expected``: how many calls the row was to have; 0 where nobody said."""
    made = len(turns[0]) if turns else 0
    least, most = CALLS.get(style, (0, float("inf")))
    if not least <= made <= most:
        wanted = f"{least}" if least == most else f"at least {least}"
        return Rejection(STAGE, Reason.WRONG_CALL_COUNT, f"{made} calls; the style {style} has {wanted}")
    if expected and made != expected:
        return Rejection(STAGE, Reason.WRONG_CALL_COUNT, f"{made} calls; the request was to need {expected}")
    return None


def check_style(
    style: str, turns: Sequence[Sequence[ToolCall]], toolbox: Toolbox, now: str, expected: int = 0
) -> Rejection | None:
    """Of a row that was asked for in a style: the number of calls, which functions, and no call twice."""
    found = check_count(style, turns, expected) or _check_functions(style, turns)
    return found or _check_distinct(turns, toolbox, now)


def _check_functions(style: str, turns: Sequence[Sequence[ToolCall]]) -> Rejection | None:
    """``parallel`` is one function called several times, ``parallel-multiple`` several functions: so we read the
    paper's names. Data sets of others read them otherwise, so that records are not asked this."""
    names = {call.name for call in turns[0]} if turns else set()
    if style == "parallel" and len(names) > 1:
        return Rejection(STAGE, Reason.WRONG_STYLE, f"calls {', '.join(sorted(names))}; the style parallel has one")
    if style == "parallel-multiple" and len(names) == 1:
        return Rejection(STAGE, Reason.WRONG_STYLE, f"calls {names.pop()} alone; the style {style} has several")
    return None


def _check_distinct(turns: Sequence[Sequence[ToolCall]], toolbox: Toolbox, now: str) -> Rejection | None:
    """Two calls of one turn that mean the same are one call too many, defaults said or not."""
    for turn in turns:
        for one, other in combinations(turn, 2):
            if one.name == other.name and compare_calls([one], [other], toolbox, now=now or None).exact:
                return Rejection(STAGE, Reason.REPEATED_STEP, f"one call twice: {one.name}({_said(one)})")
    return None


def _said(call: ToolCall) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in call.arguments.items())[:120]


def check_recorded_count(trajectory: Trajectory) -> Rejection | None:
    """The same for a whole record; one in which the user says more than one thing has no single style."""
    if sum(m.role == "user" for m in trajectory.messages) != 1:
        return None
    return check_count(trajectory.meta.style, trajectory.turns, trajectory.expected_calls)


def check_request(candidate: Candidate, toolbox: Toolbox) -> Rejection | None:
    """Whether the request of a row asks for more than all its calls do."""
    return None if candidate.script else _says_more(candidate.request, candidate.calls, toolbox)


def check_recorded_request(trajectory: Trajectory, toolbox: Toolbox) -> Rejection | None:
    """The same for a record of one request that is answered in one turn: where there are more, the rest may follow."""
    asked = sum(m.role == "user" for m in trajectory.messages)
    acted = sum(bool(m.tool_calls) for m in trajectory.messages)
    return _says_more(trajectory.request, trajectory.calls, toolbox) if asked == acted == 1 else None


def _says_more(request: str, calls: Sequence[ToolCall], toolbox: Toolbox) -> Rejection | None:
    found = unanswered(request, calls, toolbox)
    return Rejection("grounding", Reason.REQUEST_SAYS_MORE, found) if found else None

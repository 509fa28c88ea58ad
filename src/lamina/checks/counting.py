"""Counting: are there as many calls as the record's style has? (APIGen section 3.3 names the styles; checking
their number of calls is our choice.) Styles that say nothing of a number (``dependent``, ``multi-turn``) are left
alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lamina.checks.reasons import Reason
from lamina.checks.rule import Rejection
from lamina.trajectories import Trajectory

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


def check_count(style: str, turns: Sequence[Sequence[Any]]) -> Rejection | None:
    """``turns``: the calls of each assistant turn that answers ONE request. Only the first turn counts: what follows
    a result may well be the next step."""
    if style not in CALLS:
        return None
    made = len(turns[0]) if turns else 0
    least, most = CALLS[style]
    if least <= made <= most:
        return None
    wanted = f"{least}" if least == most else f"at least {least}"
    return Rejection(STAGE, Reason.WRONG_CALL_COUNT, f"{made} calls; the style {style} has {wanted}")


def check_recorded_count(trajectory: Trajectory) -> Rejection | None:
    """The same for a whole record; one in which the user says more than one thing has no single style."""
    if sum(m.role == "user" for m in trajectory.messages) != 1:
        return None
    return check_count(trajectory.meta.style, trajectory.turns)

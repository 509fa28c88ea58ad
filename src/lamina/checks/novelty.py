"""Novelty: has this been said already? Copies and near copies go; one sentence frame, and if asked one shape of calls,
may carry only so many rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from lamina.checks.near import NearCopies
from lamina.checks.reasons import Reason
from lamina.checks.rule import Candidate, Rejection
from lamina.trajectories import ToolCall

STAGE = "novelty"


class Novelty:
    """Remembers requests (case-folded, white space folded), frames (the request with its values masked) and shapes of
    calls (functions and which arguments are given). ``per_frame``: rows allowed with one frame (our choice: 6).
    ``near``: share of words in common from which on a request is a near copy of one for the same tools. ``per_call``:
    rows allowed with one shape of calls; None for any number."""

    def __init__(self, per_frame: int = 6, near: float = 0.7, per_call: int | None = None):
        self.per_frame, self.per_call = per_frame, per_call
        self._seen: set[str] = set()
        self._frames: Counter[str] = Counter()
        self._shapes: Counter[str] = Counter()
        self._near = NearCopies(near)

    def remember(self, request: str, frame: str = "", calls: Sequence[ToolCall] = ()) -> None:
        """What is there already; a request counts once, however often it is remembered."""
        if not self.is_new(request):
            return
        self._seen.add(plain(request))
        self._frames[frame] += 1
        self._shapes[shape_of_calls(calls)] += 1
        self._near.add(request, [call.name for call in calls])

    def is_new(self, request: str) -> bool:
        return plain(request) not in self._seen

    def check(self, candidate: Candidate, near: bool = True) -> Rejection | None:
        """Remembers what passes. ``near``: whether near copies go, too; rows that are made by saying others again with
        other values are near by intent."""
        text, shape = plain(candidate.request), shape_of_calls(candidate.calls)
        frame = candidate.template or text
        if text in self._seen:
            return Rejection(STAGE, Reason.DUPLICATE, "this request is there already")
        if self._frames[frame] >= self.per_frame:
            return Rejection(STAGE, Reason.DUPLICATE, f"{self.per_frame} rows say {frame!r} already")
        if self.per_call is not None and shape and self._shapes[shape] >= self.per_call:
            return Rejection(STAGE, Reason.OVER_SHARE, f"{self.per_call} rows call {shape} already")
        if near and (other := self._near.find(candidate.request, [call.name for call in candidate.calls])):
            return Rejection(STAGE, Reason.NEAR_DUPLICATE, f"nearly the same as {other!r}")
        self.remember(candidate.request, frame, candidate.calls)
        return None


def plain(text: str) -> str:
    return re.sub(r"\W+", " ", text.casefold()).strip()


def shape_of_calls(calls: Sequence[ToolCall]) -> str:
    return " ".join(f"{call.name}({', '.join(sorted(call.arguments))})" for call in calls)

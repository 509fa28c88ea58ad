"""Novelty: has this been said already? Exact copies go, and one sentence frame may carry only so many rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from lamina.checks.reasons import Reason
from lamina.checks.rule import Candidate, Rejection

STAGE = "novelty"


class Novelty:
    """Remembers requests (case-folded, white space folded) and frames (the request with its values masked).
    ``per_frame``: rows allowed with one frame (our choice: 6)."""

    def __init__(self, per_frame: int = 6):
        self.per_frame = per_frame
        self._seen: set[str] = set()
        self._frames: Counter[str] = Counter()

    def remember(self, rows: Iterable[tuple[str, str]]) -> None:
        """``(request, frame)`` pairs that are there already."""
        for request, frame in rows:
            self._seen.add(_plain(request))
            self._frames[frame] += 1

    def is_new(self, request: str) -> bool:
        return _plain(request) not in self._seen

    def check(self, candidate: Candidate) -> Rejection | None:
        text = _plain(candidate.request)
        if text in self._seen:
            return Rejection(STAGE, Reason.DUPLICATE, "this request is there already")
        frame = candidate.template or text
        if self._frames[frame] >= self.per_frame:
            return Rejection(STAGE, Reason.DUPLICATE, f"{self.per_frame} rows say {frame!r} already")
        self.remember([(candidate.request, frame)])
        return None


def _plain(text: str) -> str:
    return re.sub(r"\W+", " ", text.casefold()).strip()

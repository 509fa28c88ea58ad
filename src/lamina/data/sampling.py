"""A slow judge over a sample: all records meet everything else, and the judge is asked about some, drawn evenly."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from lamina.data.checking import Checker, Verdict, check_sources
from lamina.data.model_checks import ModelCheck
from lamina.trajectories import Reject

TOGETHER = 16
"""Records that the judge is asked about at once: few, so that the progress of a slow one moves."""
Thing = TypeVar("Thing")


class Reservoir(Generic[Thing]):
    """An even sample of a stream whose length nobody knows (Vitter 1985, algorithm R), in the memory of the sample."""

    def __init__(self, size: int, seed: int):
        self.drawn: list[Thing] = []
        self._size, self._seen = size, 0
        self._rng = random.Random(f"{seed}/sample")

    def offer(self, one: Thing) -> Thing | None:
        """Takes it in, or not; returns what is out of the sample for good."""
        self._seen += 1
        if len(self.drawn) < self._size:
            self.drawn.append(one)
            return None
        place = self._rng.randrange(self._seen)
        if place >= self._size:
            return one
        out, self.drawn[place] = self.drawn[place], one
        return out


def check_sample(
    files: Sequence[Path], checker: Checker, judge: ModelCheck, size: int, seed: int = 0, format: str = "auto"
) -> Iterator[Verdict | Reject]:
    """As ``check_sources``; then ``judge`` is asked about ``size`` of the records that ``checker`` lets pass, and
    these come last. The same seed and the same files, the same records, whoever judges."""
    sample = Reservoir[Verdict](size, seed)
    for one in check_sources(files, checker, format):
        if isinstance(one, Reject) or one.rejection is not None:
            yield one
        elif (out := sample.offer(one)) is not None:
            yield out
    for at in range(0, len(sample.drawn), TOGETHER):
        yield from checker.by_model(judge, sample.drawn[at : at + TOGETHER])

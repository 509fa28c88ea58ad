"""A slow judge over a sample: all records meet everything else, and the judge is asked about some, drawn evenly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from lamina.data.checking import Checker, Verdict, check_sources
from lamina.data.model_checks import ModelCheck
from lamina.runs.sampling import Reservoir
from lamina.trajectories import Reject

TOGETHER = 16
"""Records that the judge is asked about at once: few, so that the progress of a slow one moves."""


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

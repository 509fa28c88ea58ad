"""Widen: a run of records and their augmented copies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from lamina.data.augmenting import AUGMENTATIONS, distract, is_whole
from lamina.data.importing import add_all, batches
from lamina.data.presenting import present
from lamina.data.rephrasing import TOGETHER, WAY, Rephraser
from lamina.data.sources import records_of
from lamina.errors import InputError
from lamina.runs import Progress, Run
from lamina.trajectories import Reject, Trajectory, TrajectoryStore

WAYS = (*AUGMENTATIONS, "distract", "present", WAY)
POOL = 500
"""Tools of the first records from which distractors are drawn."""


def widen(
    files: Sequence[Path],
    run: Run,
    progress: Progress,
    ways: Sequence[str],
    seed: int = 0,
    format: str = "auto",
    rephraser: Rephraser | None = None,
) -> dict[str, Any]:
    """Writes every record, and a copy of it for each way that applies. Returns ``{"read", "written", "by": {way: n},
    "does_not_apply": {way: n}, "rejected": {reason: n}}``, and with a rephraser what became of its ``rephrasings``.
    Raises InputError for a way that is not there, and for ``rephrase`` without a rephraser."""
    check_ways(ways)
    if (WAY in ways) != (rephraser is not None):
        raise InputError(f"{WAY} and the models that it asks go together", mend=f"add --by {WAY} and --writer REF")
    pool = _pool(files, format) if "distract" in ways else []
    made: Counter[str] = Counter()
    left: Counter[str] = Counter()
    rejected: Counter[str] = Counter()
    store, written = TrajectoryStore(run.store), 0

    def rows() -> Iterator[Trajectory | Reject]:
        records = records_of(files, format)
        while some := list(islice(records, TOGETHER)):
            whole = [one for one in some if isinstance(one, Trajectory)]
            said = iter(rephraser.copies(whole) if rephraser else [None] * len(whole))
            for one in some:
                yield one
                if isinstance(one, Reject):
                    rejected[one.reason] += 1
                    continue
                rephrased = next(said)
                for way in ways:
                    copy = rephrased if way == WAY else _apply(way, one, seed, pool)
                    (left if copy is None else made)[way] += 1
                    if copy is not None:
                        copy.id = f"{one.id}~{way}"
                        yield copy

    with progress.stage("augment") as bar:
        for batch in batches(enumerate(rows())):
            add_all(store, batch)
            written += sum(isinstance(one, Trajectory) for _, one in batch)
            bar.advance(len(batch))
    store.export(run.folder)
    told = {"rephrasings": dict(rephraser.outcomes.most_common())} if rephraser else {}
    return {
        "read": written - made.total() + rejected.total(), "written": written, "by": dict(made),
        "does_not_apply": dict(left), "rejected": dict(rejected), **told,
    }  # fmt: skip


def check_ways(ways: Sequence[str]) -> None:
    if unknown := [way for way in ways if way not in WAYS]:
        raise InputError(f"there is no augmentation {unknown[0]!r}", mend=f"--by takes {', '.join(WAYS)}")


def _apply(way: str, one: Trajectory, seed: int, pool: list[dict[str, Any]]) -> Trajectory | None:
    if way == "present":
        return present(one, seed)
    return distract(one, seed, pool) if way == "distract" else AUGMENTATIONS[way](one, seed)


def _pool(files: Sequence[Path], format: str) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    records = (one for one in records_of(files, format) if isinstance(one, Trajectory))
    for one in islice(records, POOL):
        found |= {t["function"]["name"]: t for t in one.tools if is_whole(t)}
    return list(found.values())

"""Import: rows of any known format become the records of a run, or its rejects. Streaming; memory does not grow with
rows; killed and started again it continues."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from lamina.data.sources import format_names, records_of
from lamina.runs import Progress, Run
from lamina.tools import Toolbox
from lamina.trajectories import Reject, Trajectory, TrajectoryStore
from lamina.trajectories.store import REJECT, TRAJECTORY

BATCH = 1000
"""Records a transaction; a kill costs at most so many."""
Numbered = tuple[int, Trajectory | Reject]


def import_sources(
    files: Sequence[Path], run: Run, progress: Progress, format: str = "auto", toolbox: Toolbox | None = None
) -> dict[str, Any]:
    """Reads all files into the run; ``toolbox`` is for records that bring no tools. Returns ``{"read", "accepted",
    "rejected": {reason: n}, "format", "lost": {field: n}}``; ``lost`` counts what a record has no place for."""
    rejected: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    accepted = 0
    tools = toolbox.as_openai() if toolbox else []
    store = TrajectoryStore(run.store)
    with progress.stage("import") as bar:
        for batch in batches(enumerate(records_of(files, format))):
            for _, one in batch:
                if isinstance(one, Reject):
                    rejected[one.reason] += 1
                else:
                    accepted += 1
                    one.tools = one.tools or tools
                    told = (one.meta.model_extra or {}).get("lost")
                    lost.update(map(str, told) if isinstance(told, list) else ())
            add_all(store, batch)
            bar.advance(len(batch), accepted=accepted, rejected=rejected.total())
    store.export(run.folder)
    return {
        "read": accepted + rejected.total(),
        "accepted": accepted,
        "rejected": dict(rejected.most_common()),
        "format": format_names(files, format),
        "lost": dict(lost.most_common()),
    }


def batches(rows: Iterable[Numbered]) -> Iterator[list[Numbered]]:
    rows = iter(rows)
    while batch := list(islice(rows, BATCH)):
        yield batch


def add_all(store: TrajectoryStore, batch: list[Numbered]) -> None:
    """Stores every record of the batch. Two rows of a source may carry one id: the later one gets its position added,
    so that neither is lost."""
    if store.add(batch) == len(batch):
        return
    for position, one in batch:
        kind = REJECT if isinstance(one, Reject) else TRAJECTORY
        there = store.store.get(kind, one.id)
        if there is None or there.position != position:
            one.id = f"{one.id}#{position}"
            store.add([(position, one)])

"""Fix: the records that pass, mended, as a run; with a diff of what mending changed."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lamina.data.checking import Checker, Verdict, check_sources
from lamina.data.importing import add_all, batches
from lamina.runs import Progress, Run
from lamina.trajectories import Reject, Trajectory, TrajectoryStore


def fix(
    files: Sequence[Path],
    run: Run,
    checker: Checker,
    progress: Progress,
    on_mended: Callable[[Verdict], None],
    format: str = "auto",
) -> dict[str, Any]:
    """Writes what passes to the run and the rest to its rejects. Returns ``{"read", "accepted", "mended", "rejected":
    {reason: n}}``, and ``not_run`` where calls were to be run and some were not; ``on_mended`` sees each record that
    was changed."""
    rejected: Counter[str] = Counter()
    not_run: Counter[str] = Counter()
    accepted = mended = 0
    store = TrajectoryStore(run.store)

    def kept(one: Verdict | Reject) -> Trajectory | Reject:
        nonlocal accepted, mended
        reject = one if isinstance(one, Reject) else one.reject
        if reject is not None:
            rejected[reject.reason] += 1
            return reject
        assert isinstance(one, Verdict)
        accepted += 1
        if one.not_run is not None:
            not_run[one.not_run.reason.value] += 1
        if one.mended:
            mended += 1
            on_mended(one)
        return checker.with_evidence(one)

    with progress.stage("fix") as bar:
        for batch in batches(enumerate(map(kept, check_sources(files, checker, format)))):
            add_all(store, batch)
            bar.advance(len(batch), accepted=accepted, mended=mended, rejected=rejected.total())
    store.export(run.folder)
    read = accepted + rejected.total()
    told = {"read": read, "accepted": accepted, "mended": mended, "rejected": dict(rejected.most_common())}
    return {**told, **({"not_run": dict(not_run.most_common())} if not_run else {})}


def difference(before: Trajectory, after: Trajectory) -> list[str]:
    """A unified diff of the messages, as lines."""
    names = f"{before.id} (read)", f"{after.id} (mended)"
    return list(difflib.unified_diff(_lines(before), _lines(after), *names, lineterm="", n=1))


def _lines(trajectory: Trajectory) -> list[str]:
    rows = [message.model_dump(exclude_none=True) for message in trajectory.messages]
    return json.dumps(rows, indent=1, ensure_ascii=False).splitlines()

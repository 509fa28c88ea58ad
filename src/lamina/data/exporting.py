"""Export: the records of a run in another format. What the format cannot hold is counted, field by field; a record
whose calls, results or further turns it cannot hold is not written, but rejected, and so is one that copies a request
of an evaluation set. A format that has no results by its design (xLAM's 60k) is written without them: they are counted
like any other field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lamina.checks import Reason
from lamina.data.packing import pack
from lamina.data.sources import copy_of_scored, records_of
from lamina.errors import InputError
from lamina.runs import Progress, Run
from lamina.trajectories import Reject, Trajectory, TrajectoryStore
from lamina.trajectories.formats import Format, find_format, formats
from lamina.trajectories.formats.reading.losses import MEANING, TURNS


@dataclass
class Exported:
    """``lost``: fields that at least one written record lost, with how many did; ``rejects``: those not written."""

    written: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    rejects: list[Reject] = field(default_factory=list)


def export(
    files: Sequence[Path], to: str, file: Path, progress: Progress, format: str = "auto", split: str | None = None
) -> Exported:
    """Writes ``file`` (whole or not at all), as Parquet where its name ends in ``.parquet``. ``split``: only records of
    this part (``meta.split``). Raises InputError for a format that is only read."""
    target = find_format(to)
    if target.write is None:
        able = ", ".join(sorted(name for name, one in formats().items() if one.write))
        raise InputError(f"{to} is only read", mend=f"write one of {able}")
    found = Exported()
    with progress.stage("export") as bar:

        def fitting() -> Iterator[Trajectory]:
            for one in records_of(files, format):
                bar.advance()
                if isinstance(one, Reject):
                    found.rejects.append(one)
                elif copy := copy_of_scored(one):
                    found.rejects.append(copy)
                elif (split is None or one.meta.split == split) and _holds(target, one, found):
                    yield one

        found.written = write_as(target, file, fitting())
    return found


def write_as(target: Format, file: Path, records: Iterator[Trajectory]) -> int:
    """JSON Lines (or what the format is), and Parquet where the file is named so."""
    assert target.write is not None
    if file.suffix != ".parquet":
        return target.write(file, records)
    lines = file.with_name(f"{file.name}.jsonl.tmp")
    try:
        target.write(lines, records)
        return pack(lines, file)
    finally:
        lines.unlink(missing_ok=True)


def _holds(target: Format, one: Trajectory, found: Exported) -> bool:
    lost = target.losses(one) if target.losses else Counter[str]()
    if essential := sorted(({*MEANING, TURNS, "record"} - target.lacks) & set(lost)):
        detail = f"{target.name} cannot hold its {' and '.join(essential)}; write jsonl, trl or xlam-unified"
        found.rejects.append(Reject(id=one.id, stage="export", reason=Reason.FORMAT_CANNOT_HOLD, detail=detail))
        return False
    found.lost.update(lost)
    return True


def pack_sides(run: Run, sides: Iterable[str], kinds: Sequence[str], progress: Progress) -> list[str]:
    """Writes each side of a mix's split as ``packed/KIND/SIDE.KIND`` in TRL's form, so that ``datasets.load_dataset``
    of the folder finds the splits; returns the files, seen from the run. Those that are there are left as they are."""
    store, target, found = TrajectoryStore(run.store), find_format("trl"), []
    with progress.stage("pack") as bar:
        for kind in kinds:
            folder = run.folder / "packed" / kind
            folder.mkdir(parents=True, exist_ok=True)
            for side in sides:
                file = folder / f"{side}.{kind}"
                if not file.exists():
                    bar.advance(write_as(target, file, store.trajectories(side)))
                found.append(str(file.relative_to(run.folder)))
    return found

"""What may be named as data on the command line: files, run folders, folders of files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from lamina.checks.contamination import STAGE as CONTAMINATION
from lamina.checks.contamination import requests_said
from lamina.checks.reasons import Reason
from lamina.errors import InputError
from lamina.trajectories import Reject, Trajectory, read_trajectories
from lamina.trajectories.formats import detect_format

SUFFIXES = (".jsonl", ".json", ".csv", ".parquet", ".txt")
_OWN = {"report.json", "rejects.jsonl", "log.jsonl"}
"""Files of a run that are no data."""
RUN_FILES = ("trajectories.jsonl", "deeds.jsonl")
"""What a run has made, and what an agent did in it that went well."""


def files_of(paths: Iterable[str | Path]) -> list[Path]:
    """A file is itself, a run folder its ``RUN_FILES``, any other folder its data files, deepest last.
    Raises InputError for what is not there, and for a folder without data."""
    found: list[Path] = []
    for path in map(path_of, paths):
        if not path.exists():
            raise InputError("is not there", file=path, mend="check the path")
        if not path.is_dir():
            found.append(path)
        elif own := [path / name for name in RUN_FILES if (path / name).is_file()]:
            found += own
        else:
            inside = sorted(f for f in path.rglob("*") if _is_data(f))
            if not inside:
                raise InputError("holds no data files", file=path, mend=f"name files ending in {', '.join(SUFFIXES)}")
            found += inside
    return found


def path_of(text: str | Path) -> Path:
    """Raises InputError for no text at all, which Path takes for the folder that one happens to be in."""
    if isinstance(text, str) and not text.strip():
        raise InputError("a path is empty", mend="name a file, a run or a folder ('.' is the one you are in)")
    return Path(text)


def _is_data(file: Path) -> bool:
    return file.suffix in SUFFIXES and file.name not in _OWN and not file.name.startswith("LICENSE") and file.is_file()


def records_of(files: Sequence[Path], format: str = "auto") -> Iterator[Trajectory | Reject]:
    """The rows of all files in order, each a record or a reject, never neither."""
    for file in files:
        yield from _records_of(file, format)


def _records_of(file: Path, format: str) -> Iterator[Trajectory | Reject]:
    rejects: list[Reject] = []
    for trajectory in read_trajectories(file, rejects.append, format=format):
        yield from rejects
        rejects.clear()
        yield trajectory
    yield from rejects


def requests_of(paths: Iterable[str | Path]) -> dict[str, str]:
    """The requests of evaluation sets in any known format, each with the name of where it stands. Raises InputError for
    one without any: it would guard nothing."""
    found: dict[str, str] = {}
    for path in paths:
        requests = [
            (said, one.id)
            for one in records_of(files_of([path]))
            if isinstance(one, Trajectory)
            for said in requests_said(one)
            if said.strip()
        ]
        if not requests:
            raise InputError("holds no requests", file=path, mend="name a data set in a format of 'lamina formats'")
        for request, id in requests:
            found.setdefault(request, f"{Path(path).name} {id}")
    return found


def copy_of_scored(record: Trajectory) -> Reject | None:
    """A reject where the split of a synthesis set the record aside, because it copies a request that a model will be
    scored on: where records become training data of others, it must not come back."""
    if record.meta.split != Reason.CONTAMINATED:
        return None
    copied = (record.meta.model_extra or {}).get("contaminated") or "a held-out request"
    return Reject(
        id=record.id, stage=CONTAMINATION, reason=Reason.CONTAMINATED.value, detail=f"a copy of {str(copied)[:200]}",
        record=record.model_dump(exclude_none=True),
    )  # fmt: skip


def format_names(files: Sequence[Path], format: str = "auto") -> str:
    """The name of the format of the files; several are joined with commas, ``unknown`` is one."""
    if format != "auto":
        return format
    found: dict[str, None] = {}
    for file in files:
        try:
            found[detect_format(file).name] = None
        except InputError:
            found["unknown"] = None
    return ",".join(found)

"""Files of trajectories. One format a file; each is listed here or comes through an entry point.

A user's own format is a module attribute of type ``Format``, named in the entry-point group
``lamina.formats``."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from lamina.errors import InputError
from lamina.trajectories.formats import jsonl
from lamina.trajectories.formats.detection import Detected, choose
from lamina.trajectories.formats.format import Format, OnReject, Sample
from lamina.trajectories.trajectory import Reject, Trajectory

__all__ = [
    "Detected",
    "Format",
    "OnReject",
    "Sample",
    "detect_format",
    "find_format",
    "formats",
    "read_trajectories",
    "write_trajectories",
]

_FOREIGN = (
    "xlam_unified", "toolbench", "toolalpaca", "toolrl", "nestful", "seal_tools", "tooltalk", "tau_bench", "bfcl",
    "xlam_60k", "metatool", "api_bank", "mcp_log", "glaive", "toolace", "hermes", "xlam2", "trl", "sharegpt",
    "openai_messages", "instruction", "react",
)  # fmt: skip
"""In the order in which detection asks them: the particular before the general."""
UNKNOWN = "unknown-format"  # checks.reasons.Reason.UNKNOWN_FORMAT


@cache
def formats() -> dict[str, Format]:
    """All formats by name; a user's format may not take the name of a built-in one."""
    from importlib.metadata import entry_points

    found = {"jsonl": jsonl.FORMAT}
    for module in _FOREIGN:
        one: Format = importlib.import_module(f"lamina.trajectories.formats.{module}").FORMAT
        found[one.name] = one
    for entry in entry_points(group="lamina.formats"):
        found.setdefault(entry.name, entry.load())
    return found


def find_format(name: str) -> Format:
    known = formats()
    if name not in known:
        raise InputError(f"there is no format {name!r}", mend=f"use one of {', '.join(sorted(known))}")
    return known[name]


def detect_format(path: str | Path) -> Detected:
    """The name of the format of a file, and why. Raises InputError where none knows it, saying what was seen."""
    return choose(file_of(path), formats())


def file_of(path: str | Path) -> Path:
    """A run folder stands for its ``trajectories.jsonl``."""
    path = Path(path)
    return path / "trajectories.jsonl" if path.is_dir() else path


def read_trajectories(
    path: str | Path, on_reject: OnReject | None = None, *, format: str = "auto"
) -> Iterator[Trajectory]:
    """The records of a file in any known format, one by one; a run folder stands for its ``trajectories.jsonl``.

    A row that is no record goes to ``on_reject`` as a Reject with id ``FILE:LINE``; without it the first one
    raises InputError, which names file and line. With ``on_reject`` the rows of a file of no known format are
    rejected too."""
    file = file_of(path)
    if format != "auto":
        return find_format(format).read(file, on_reject)
    try:
        detected = detect_format(file)
    except InputError as error:
        if on_reject is None or not file.is_file():
            raise
        return _reject_all(file, str(error), on_reject)
    return find_format(detected.name).read(file, on_reject)


def _reject_all(file: Path, why: str, on_reject: OnReject) -> Iterator[Trajectory]:
    from lamina.trajectories.formats.reading.rows import raw_rows
    from lamina.trajectories.trajectory import json_line

    for raw in raw_rows(file):
        text = raw.text or json_line(raw.value).decode(errors="replace")[:10_000]
        reason, detail = ("unreadable", raw.problem) if raw.problem else (UNKNOWN, why)
        on_reject(Reject(id=f"{file}:{raw.number}", stage="read", reason=reason, detail=detail, raw=text))
    yield from ()


def write_trajectories(path: str | Path, trajectories: Iterable[Trajectory], *, format: str = "jsonl") -> int:
    """Writes atomically; returns how many. Raises StorageError, and InputError for a format that is only read."""
    found = find_format(format)
    if found.write is None:
        able = ", ".join(sorted(name for name, one in formats().items() if one.write))
        raise InputError(f"{format} is only read", mend=f"write one of {able}")
    return found.write(Path(path), trajectories)

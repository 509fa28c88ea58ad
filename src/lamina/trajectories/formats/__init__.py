"""Files of trajectories. One format a file; each is listed here or comes through an entry point.

A user's own format is a module attribute of type ``Format``, named in the entry-point group
``lamina.formats``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from lamina.errors import InputError
from lamina.trajectories.formats import jsonl
from lamina.trajectories.formats.format import Format, OnReject
from lamina.trajectories.trajectory import Trajectory

__all__ = ["Format", "OnReject", "find_format", "formats", "read_trajectories", "write_trajectories"]

_BUILT_IN: tuple[Format, ...] = (jsonl.FORMAT,)


def formats() -> dict[str, Format]:
    """All formats by name; a user's format may not take the name of a built-in one."""
    from importlib.metadata import entry_points

    found = {f.name: f for f in _BUILT_IN}
    for entry in entry_points(group="lamina.formats"):
        found.setdefault(entry.name, entry.load())
    return found


def find_format(name: str) -> Format:
    known = formats()
    if name not in known:
        raise InputError(f"there is no format {name!r}", mend=f"use one of {', '.join(sorted(known))}")
    return known[name]


def read_trajectories(
    path: str | Path, on_reject: OnReject | None = None, *, format: str = "jsonl"
) -> Iterator[Trajectory]:
    """The records of a file, one by one in flat memory; a run folder stands for its ``trajectories.jsonl``.

    A line that is no record goes to ``on_reject`` as a Reject with id ``FILE:LINE``; without it the first one
    raises InputError, which names file and line."""
    path = Path(path)
    file = path / "trajectories.jsonl" if path.is_dir() else path
    return find_format(format).read(file, on_reject)


def write_trajectories(path: str | Path, trajectories: Iterable[Trajectory], *, format: str = "jsonl") -> int:
    """Writes atomically; returns how many. Raises StorageError."""
    return find_format(format).write(Path(path), trajectories)

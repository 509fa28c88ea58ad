"""What a file format is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lamina.trajectories.trajectory import Reject, Trajectory

OnReject = Callable[[Reject], None]


@dataclass(frozen=True)
class Sample:
    """The beginning of a file, as detection sees it. ``layout`` is ``jsonl``, ``array``, ``object``,
    ``parquet``, ``csv`` or ``text``; ``rows`` holds up to eight rows, ``text`` the first characters."""

    path: Path
    layout: str
    rows: list[Any] = field(default_factory=list)
    text: str = ""

    @property
    def row(self) -> Any:
        return self.rows[0] if self.rows else None

    def has(self, *keys: str) -> bool:
        """The first row is an object with all these keys."""
        return isinstance(self.row, dict) and all(key in self.row for key in keys)


@dataclass(frozen=True)
class Format:
    """``read`` streams; what it can't read goes to the callback, or raises InputError without one.
    ``write`` is atomic and returns the number of records; None where only reading makes sense.
    ``detect`` says in a few words why a file is of this format, or None.

    ``losses`` names, for one record, each field that ``write`` cannot hold (found by reading back what was
    written, so nothing is lost unsaid). ``lacks`` names those of them that no record of the format has, by its
    design: they are a loss to be counted, and no reason not to write a record."""

    name: str
    description: str
    read: Callable[[Path, OnReject | None], Iterator[Trajectory]]
    write: Callable[[Path, Iterable[Trajectory]], int] | None = None
    detect: Callable[[Sample], str | None] | None = None
    losses: Callable[[Trajectory], Counter[str]] | None = None
    from_row: Callable[[Any, Path], list[Trajectory]] | None = None
    """For formats of JSON rows: the records of one row that was already parsed."""
    to_row: Callable[[Trajectory], Any] | None = None
    lacks: frozenset[str] = frozenset()

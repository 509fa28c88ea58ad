"""What a file format is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lamina.trajectories.trajectory import Reject, Trajectory

OnReject = Callable[[Reject], None]


@dataclass(frozen=True)
class Format:
    """``read`` streams; what it can't read goes to the callback, or raises InputError without one.
    ``write`` is atomic and returns the number of records."""

    name: str
    description: str
    read: Callable[[Path, OnReject | None], Iterator[Trajectory]]
    write: Callable[[Path, Iterable[Trajectory]], int]

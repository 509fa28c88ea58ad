"""How long a process was ready to run while others had the processors: on a busy machine that says nothing of it, and
is no part of the time that it is given."""

from __future__ import annotations

from pathlib import Path

MOST_WAITING = 30.0
"""Times its own limit: a process that never gets its turn is given up some time."""

SHORTEST_WAIT = 0.05
"""Seconds below which no longer is given."""


def queued_seconds(process: int | str = "self") -> float:
    """Of the main thread of ``process`` since it began. 0 where the system does not say (it is Linux's
    ``/proc/PID/schedstat``) or there is no such process."""
    try:
        return int(Path(f"/proc/{process}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0

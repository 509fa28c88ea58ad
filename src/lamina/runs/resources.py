"""What a piece of work took: seconds, and the most memory that this process and the processes under it held.

On Linux the process's own high-water mark is set back when the work begins, and the processes under it, those that do
not live long enough to be looked at aside, are looked at while it goes on. Elsewhere both are the marks of the whole
life of this process."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

SECONDS_BETWEEN_LOOKS = 1.0
PROC = Path("/proc")


class Looking:
    """Calls ``look`` in a thread of its own, at once and then every ``seconds``, until it is stopped."""

    def __init__(self, look: Callable[[], None], seconds: float):
        self._look, self._seconds = look, seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._again, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _again(self) -> None:
        while True:
            self._look()
            if self._ended.wait(self._seconds):
                return


class Took:
    """``with Took() as took: …``; ``took.as_dict()`` is then ``{"seconds", "peak_rss_bytes",
    "children_peak_rss_bytes"}``, the last of all processes under this one together."""

    def __enter__(self) -> Took:
        self._started = time.monotonic()
        self._children = 0
        self._before = _marks()[1]
        with contextlib.suppress(OSError):  # no such file, or not ours to write: the mark of the whole life stays
            (PROC / "self" / "clear_refs").write_text("5")
        self._looking = Looking(self._look, SECONDS_BETWEEN_LOOKS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._looking.stop()
        self.seconds = time.monotonic() - self._started
        own, ended = _marks()
        self.peak = _status("self", "VmHWM") or own
        self.children = max(self._children, ended if ended > self._before else 0)

    def as_dict(self) -> dict[str, Any]:
        return {
            "seconds": round(self.seconds, 1),
            "peak_rss_bytes": self.peak,
            "children_peak_rss_bytes": self.children,
        }

    def _look(self) -> None:
        self._children = max(self._children, _under_this_process())


def _marks() -> tuple[int, int]:
    """The largest resident size of this process, and of the largest process under it that has ended."""
    try:
        import resource
    except ImportError:  # Windows
        return 0, 0
    unit = 1 if sys.platform == "darwin" else 1024
    own, ended = (resource.getrusage(who).ru_maxrss * unit for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own, ended


def _under_this_process() -> int:
    """Bytes held by all processes that this one started, and those that they did."""
    children: dict[int, list[int]] = defaultdict(list)
    for folder in PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):  # it has ended
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            children[int(parent)].append(int(folder.name))
    held, waiting = 0, list(children[os.getpid()])
    while waiting:
        one = waiting.pop()
        held += _status(str(one), "VmRSS")
        waiting += children[one]
    return held


def _status(process: str, key: str) -> int:
    """Bytes, 0 where it is not said."""
    try:
        text = (PROC / process / "status").read_text()
    except OSError:
        return 0
    line = next((line for line in text.splitlines() if line.startswith(f"{key}:")), "")
    return int(line.split()[1]) * 1024 if line else 0

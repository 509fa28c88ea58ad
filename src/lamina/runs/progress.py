"""What a person sees while a run works: a live bar on a terminal, plain lines when piped, nothing in tests.

All of it goes to standard error; standard output belongs to results and ``--json``."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

SECONDS_BETWEEN_LINES = 5.0


class Progress:
    """``with progress.stage("synth", total=400) as bar: bar.advance(verified=12)``.

    ``json_mode``: for machines, plain lines even on a terminal. ``silent``: nothing at all."""

    def __init__(self, json_mode: bool = False, *, silent: bool = False, stream: TextIO | None = None):
        self._stream = stream or sys.stderr
        self._silent = silent
        self._live = not silent and not json_mode and self._stream.isatty()
        self._started = time.monotonic()
        self.stage_seconds: dict[str, float] = {}
        """How long each finished stage took."""
        self._open: Bar | None = None

    @property
    def seconds(self) -> float:
        """Since this object was made."""
        return time.monotonic() - self._started

    @contextmanager
    def stage(self, name: str, total: int | None = None) -> Iterator[Bar]:
        bar = Bar(self, name, total)
        bar.start()
        self._open = bar
        ended = "stopped"
        try:
            yield bar
            ended = "done"
        finally:
            self._open = None
            self.stage_seconds[name] = bar.seconds
            bar.end(ended)

    def answered(self, answers: int, by: str = "") -> None:
        """Shows beside the count of the open stage how many answers of a model there are: some take seconds each.
        ``by``: its role, where several models answer in turn."""
        if self._open is not None:
            self._open.advance(0, **{f"{by} answers".strip(): answers})

    def say(self, text: str) -> None:
        """One line, with the total time so far."""
        if not self._silent:
            print(f"[{clock(self.seconds)}] {text}", file=self._stream, flush=True)


class Bar:
    """Counts one stage. Safe to advance from several threads."""

    def __init__(self, progress: Progress, name: str, total: int | None):
        self._progress, self._name = progress, name
        self.total = total
        self.done = 0
        self.notes: dict[str, Any] = {}
        self._started = self._last_line = time.monotonic()
        self._guard = threading.Lock()
        self._rich: RichProgress | None = None
        self._task: TaskID | None = None

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def advance(self, n: int = 1, **notes: Any) -> None:
        """``notes`` are shown beside the count and stay until changed."""
        with self._guard:
            self.done += n
            self.notes |= notes
            if self._rich is not None and self._task is not None:
                self._rich.update(self._task, completed=self.done, total=self.total, notes=self._said())
            elif time.monotonic() - self._last_line >= SECONDS_BETWEEN_LINES:
                self._last_line = time.monotonic()
                self._progress.say(self._line())

    def start(self) -> None:
        if not self._progress._live:
            self._progress.say(f"{self._name}: started" + (f", {self.total} to do" if self.total else ""))
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as RichProgress

        self._rich = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[notes]}"),
            console=Console(file=self._progress._stream),
            refresh_per_second=4,  # the bar shares two cores with a model
            transient=True,
        )
        self._rich.start()
        self._task = self._rich.add_task(self._name, total=self.total, notes="")

    def end(self, how: str) -> None:
        if self._rich is not None:
            self._rich.stop()
            self._rich = None
        self._progress.say(f"{self._line()}, {how} in {clock(self.seconds)}")

    def _line(self) -> str:
        count = f"{self.done}/{self.total}" if self.total is not None else str(self.done)
        said = self._said()
        return f"{self._name}: {count}" + (f" ({said})" if said else "")

    def _said(self) -> str:
        return ", ".join(f"{key.replace('_', ' ')} {_short(value)}" for key, value in self.notes.items())


def clock(seconds: float) -> str:
    """``65`` as ``1:05``, hours only where there are some."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)

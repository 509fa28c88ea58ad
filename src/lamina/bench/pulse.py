"""A worker's signs of life. One that is slow is told from one that hangs by what it finished, and by what its processor
did."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

BEAT_SECONDS = 10.0
LEAST_WORK = 0.02
"""Of one core (our choice): a process that waits takes less, one that fetches its weights from a disk more."""
PATIENCE = 6
"""So many times as long as one without a sign of life may a worker compute and finish nothing (our choice)."""


class Pulse:
    """Calls ``tell`` every ``seconds`` from a thread of its own: with ``progress`` where something was finished since
    (``beat``: a token, a try), else with ``busy`` where this process computed; with nothing where it did neither."""

    def __init__(self, tell: Callable[[str], None], seconds: float = BEAT_SECONDS):
        self._tell, self._seconds = tell, seconds
        self._finished = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def beat(self) -> None:
        self._finished = True

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        before, since = time.process_time(), time.monotonic()
        while not self._over.wait(self._seconds):
            worked, now = time.process_time(), time.monotonic()
            if self._finished:
                self._finished = False
                self._tell("progress")
            elif worked - before >= LEAST_WORK * (now - since):
                self._tell("busy")
            before, since = worked, now

"""What a fork may use, and where it finds itself.

A fork pays for every page of memory that it writes to first, and in Python looking at an object is writing to it: the
copies are most of what a fork costs. So what a fork inherits is set before, in the supervisor, where it differs from
the fork before; only what the supervisor must not have itself is set from within the fork, with as few objects as it
takes.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lamina.tools.execution.outcomes import Limits
from lamina.tools.execution.processes import LINUX, PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG, prctl

MEGABYTE = 1 << 20
HEADROOM = 64 * MEGABYTE  # to report with, once the memory allowed is used up

# signal.signal without the part that turns numbers into enums, where Python has it so
_set_signal: Callable[[int, Any], Any] = getattr(signal.signal, "__wrapped__", signal.signal)
_TERMINATE, _KILL = int(signal.SIGTERM), int(signal.SIGKILL)
_DEFAULT = int(signal.SIG_DFL)


@dataclass(frozen=True)
class Confinement:
    """What all forks of one supervisor have in common. ``closed`` are descriptors that no fork may have."""

    limits: Limits
    fixed: tuple[tuple[int, int, int], ...]
    """Resource limits: which, soft, hard."""
    ceilings: dict[int, int]
    """For those that are found for each fork: how far they may go. Endless where there is no ceiling."""
    closed: tuple[int, ...]

    @classmethod
    def of(cls, limits: Limits, mapped: int, closed: tuple[int, ...]) -> Confinement:
        """``mapped`` is the address space that the supervisor has, and every fork with it. What forks inherit and
        the supervisor can do without is taken from it here, whatever the modules did when they were imported."""
        wanted = [
            (resource.RLIMIT_CORE, 0, 0),
            (resource.RLIMIT_FSIZE, limits.file_mb * MEGABYTE, limits.file_mb * MEGABYTE),
            (resource.RLIMIT_NOFILE, limits.open_files, limits.open_files),
        ]
        if LINUX:
            allowed = mapped + limits.memory_mb * MEGABYTE
            wanted.append((resource.RLIMIT_AS, allowed, allowed + HEADROOM))
            _go_first()
        prctl(PR_SET_NO_NEW_PRIVS, 1)
        _set_signal(signal.SIGCHLD, _DEFAULT)
        os.environ.pop("LAMINA_NOW", None)
        os.umask(0o077)
        fixed = tuple((which, min(soft, _ceiling(which)), min(hard, _ceiling(which))) for which, soft, hard in wanted)
        return cls(limits, fixed, {w: _ceiling(w) for w in (resource.RLIMIT_CPU, resource.RLIMIT_NPROC)}, closed)

    def apply(self, calls: int, most_processes: int | None) -> None:
        """In the fork: own session, and resource limits.

        ``most_processes`` is a ceiling over a fork bomb for all processes of the user, so it is coarse; the
        supervisor counts those of the call.
        """
        os.setsid()
        prctl(PR_SET_PDEATHSIG, _KILL)
        _set_signal(_TERMINATE, _DEFAULT)
        for which, soft, hard in self.fixed:
            set_limit(which, soft, hard)
        self._limit(resource.RLIMIT_CPU, self.limits.cpu_seconds, self.limits.cpu_seconds * calls + 1)
        if most_processes is not None:
            self._limit(resource.RLIMIT_NPROC, most_processes, most_processes)

    def _limit(self, which: int, soft: int, hard: int) -> None:
        ceiling = self.ceilings[which]
        set_limit(which, min(soft, ceiling), min(hard, ceiling))


def _ceiling(which: int) -> int:
    hard = resource.getrlimit(which)[1]
    return sys.maxsize if hard == resource.RLIM_INFINITY else hard


def set_limit(which: int, soft: int, hard: int) -> None:
    try:  # noqa: SIM105 -- suppress() is one more object and two more frames
        resource.setrlimit(which, (soft, hard))
    except (OSError, ValueError):
        pass


def place(scratch: str, now: str | None) -> None:
    """In the supervisor: forks find ``scratch`` as working directory, home and temporary folder, and ``now`` as
    LAMINA_NOW. Raises OSError for a folder that cannot be gone to."""
    os.chdir(scratch)
    environment = os.environ
    if environment.get("HOME") != scratch or environment.get("TMPDIR") != scratch:
        environment["HOME"] = environment["TMPDIR"] = scratch
    if environment.get("LAMINA_NOW") != now:
        environment.pop("LAMINA_NOW", None)
        if now is not None:
            environment["LAMINA_NOW"] = now
    temporary: Any = sys.modules.get("tempfile")
    if temporary is not None and temporary.tempdir is not None:
        temporary.tempdir = None  # a choice made at import


def _go_first() -> None:
    """If the machine itself runs out of memory, the supervisor and its forks go first, largest first."""
    try:
        score = os.open("/proc/self/oom_score_adj", os.O_WRONLY)  # open() would take ten times as long here
        os.write(score, b"1000")
        os.close(score)
    except OSError:
        pass

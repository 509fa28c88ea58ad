"""Processes and their children: the system calls that Python has no name for, and killing a whole tree."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from pathlib import Path

LINUX = sys.platform == "linux"
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 36, 38  # linux/prctl.h

_KILL = int(signal.SIGKILL)
_prctl = ctypes.CDLL(None, use_errno=True).prctl if LINUX else None  # looked up before any fork: it takes half a ms


def prctl(option: int, value: int) -> None:
    """Does nothing where the system has no prctl."""
    if _prctl is not None:
        _prctl(option, value, 0, 0, 0)


def mapped_bytes() -> int:
    """Address space of this process; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (OSError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def children(pid: int | str = "self") -> list[int]:
    """Direct children of all threads of ``pid``; empty where there is no ``/proc``."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError):
                found += map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split())
    return found


def descendants(pid: int | str = "self") -> list[int]:
    found = children(pid)
    for child in found:  # grows while it is walked
        found += children(child)
    return found


def user_threads() -> int:
    """Threads of all processes of this user, which is what RLIMIT_NPROC counts."""
    count = 0
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if entry.stat().st_uid == os.getuid():
                    count += len(os.listdir(f"/proc/{entry.name}/task"))
    return count


def kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def kill_group(pid: int) -> None:
    try:  # noqa: SIM105 -- after every fork: suppress() is one more object and two more frames
        os.killpg(pid, _KILL)
    except (ProcessLookupError, PermissionError):
        pass


def kill_until_none_left(seconds: float = 5.0) -> bool:
    """Kill and reap children until there is none. With the subreaper set, the children of a dead child become
    ours, so daemons that forked twice are reached too. False if some are left after ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return True
        left = descendants()
        for pid in left:
            kill(pid)
        if not left:  # no /proc: what is there was killed with its group
            time.sleep(0.001)
    return False

"""The folders that calls work in: each call finds an empty one that nobody else can look into, and leaves none behind.

Making and removing a folder takes as long as a third of a fork, so one that a call has left as it found it is given
to the next.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import stat

from lamina.tools.user_module import library_first

_PRIVATE = stat.S_IFDIR | 0o700


class ScratchFolders:
    """Folders under ``base``, which is one supervisor's alone, so that a number is enough of a name."""

    def __init__(self, base: str):
        self._base = base
        self._numbers = itertools.count()
        self._free: tuple[str, int] | None = None
        """One that is empty, and its inode."""
        self._lent: dict[str, int] = {}

    def take(self) -> str:
        """An empty folder, which is the taker's until it is given back."""
        if self._free is None:
            self._free = self._new()
        (folder, inode), self._free = self._free, None
        self._lent[folder] = inode
        return folder

    def give_back(self, folder: str) -> None:
        """Whatever was done to it: as it was, it is lent again, else removed with all that is in it."""
        inode = self._lent.pop(folder)
        if self._free is None and _untouched(folder, inode):
            self._free = folder, inode
        else:
            remove_tree(folder)

    def _new(self) -> tuple[str, int]:
        while True:
            folder = f"{self._base}/call-{next(self._numbers)}"
            try:
                os.mkdir(folder, 0o700)
            except FileExistsError:  # made by a call, out of its place
                continue
            return folder, os.lstat(folder).st_ino


def _untouched(folder: str, inode: int) -> bool:
    """Whether it is the same folder, still private, and empty."""
    try:
        now = os.lstat(folder)
        return now.st_ino == inode and now.st_mode == _PRIVATE and not os.listdir(folder)
    except OSError:
        return False


def remove_tree(folder: str) -> None:
    """Remove what a call left, whatever it did: no permissions, a link in its place, folders in folders."""
    try:
        return os.rmdir(folder)  # most leave nothing
    except OSError:
        pass
    with contextlib.suppress(OSError):
        if os.path.islink(folder):
            os.unlink(folder)
            return
    with library_first():  # so late because forks are faster without them
        import shutil
        import subprocess

    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except (OSError, RecursionError):
        for command in (["chmod", "-R", "u+rwx", folder], ["rm", "-rf", folder]):
            with contextlib.suppress(OSError):
                subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

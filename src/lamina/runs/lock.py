"""One writer a run folder.

The lock is SQLite's own exclusive file lock on an empty file: it works on Linux, macOS and Windows, also
between two objects of one process, ends with the process however it dies, and is not inherited by children
(a flock would be, and a tool call left running would keep a killed run locked)."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from lamina.errors import StorageError

if TYPE_CHECKING:
    import sqlite3


class FolderLock:
    """``take`` is idempotent. Raises StorageError while another process (or run object) holds it."""

    def __init__(self, folder: Path):
        self._path = folder / "lock"
        self._guard = threading.Lock()
        self._held: sqlite3.Connection | None = None

    def take(self) -> None:
        import sqlite3

        with self._guard:
            if self._held is not None:
                return
            connection = None
            try:
                connection = sqlite3.connect(self._path, timeout=0, isolation_level=None, check_same_thread=False)
                connection.execute("PRAGMA journal_mode = OFF")  # else a lock-journal lies beside it
                connection.execute("BEGIN EXCLUSIVE")
            except sqlite3.Error as error:
                if connection:
                    connection.close()
                folder = self._path.parent
                if getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY"):
                    what = "another process is working on this run; wait until it ends, or choose another folder"
                    raise StorageError(f"{folder}: {what}") from error
                raise StorageError(f"{self._path}: {error}; choose a folder you may write to") from error
            self._held = connection

    def release(self) -> None:
        with self._guard:
            if self._held is not None:
                self._held.close()
                self._held = None

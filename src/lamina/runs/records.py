"""The record of truth of a run: one SQLite file of opaque rows.

Durability: WAL with ``synchronous=FULL``. A commit is on disk before ``put`` returns, so an acknowledged row
survives both kill -9 and a power cut. NORMAL would do for kill -9 alone; FULL costs one fsync a commit
(about a millisecond or two), and rows arrive at the pace of a language model, so it is never felt.

Exactly once: ids are derived from content and inserts of a known id are ignored; doing the same work twice
stores one row. Each row carries a CRC-32, so that a flipped bit is reported and never read as data.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lamina.errors import StorageError
from lamina.runs.files import atomic_file

if TYPE_CHECKING:
    import sqlite3

APPLICATION_ID = 0x4C414D4E  # "LAMN" in the file header
SCHEMA_VERSION = 1
PAGE = 256  # rows fetched at a time by iterate

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS rows(
  kind TEXT NOT NULL, id TEXT NOT NULL, position INTEGER NOT NULL,
  payload BLOB NOT NULL, crc INTEGER NOT NULL,
  PRIMARY KEY(kind, id));
CREATE INDEX IF NOT EXISTS rows_in_order ON rows(kind, position, id);
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
"""


class Row(NamedTuple):
    """``position`` orders the rows of a kind; ``id`` breaks ties and is unique within the kind."""

    kind: str
    id: str
    position: int
    payload: bytes


class RecordStore:
    """Rows by kind and id. Safe to use from several threads of one process; never across a fork.

    ``before_write`` is called before each write (the run takes its lock there). All methods raise
    StorageError, naming the file, where the disk is full, the file damaged or not writable."""

    def __init__(self, path: str | Path, *, before_write: Callable[[], None] | None = None):
        self.path = Path(path)
        self._before_write = before_write
        self._lock = threading.RLock()
        self._connection = self._open()

    def put(self, rows: Iterable[Row]) -> int:
        """Commits all rows in ONE transaction, ignoring known ids; returns how many were new. When this
        returns, the rows are on disk; when it raises, none of them is."""
        known_ids_stay = "INSERT OR IGNORE INTO rows VALUES (?, ?, ?, ?, ?)"
        return self._write(lambda c: c.executemany(known_ids_stay, map(_with_crc, rows)).rowcount)

    def replace(self, *rows: Row) -> None:
        """Like ``put``, but a known id gets the new position and payload."""
        replacing = "INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?, ?)"
        self._write(lambda c: c.executemany(replacing, map(_with_crc, rows)).rowcount)

    def delete(self, kind: str) -> int:
        """Removes all rows of a kind; returns how many there were."""
        return self._write(lambda c: c.execute("DELETE FROM rows WHERE kind = ?", (kind,)).rowcount)

    def move(self, rows: Iterable[Row], kind: str) -> int:
        """Gives rows that are there another kind, all in ONE transaction; returns how many. A row of that kind and id
        is replaced."""
        moved = list(rows)
        new = [_with_crc(row._replace(kind=kind)) for row in moved]

        def write(connection: Any) -> int:
            connection.executemany("DELETE FROM rows WHERE kind = ? AND id = ?", [(r.kind, r.id) for r in moved])
            connection.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?, ?)", new)
            return len(new)

        return self._write(write) if moved else 0

    def get(self, kind: str, id: str) -> Row | None:
        found = self._read("SELECT * FROM rows WHERE kind = ? AND id = ?", (kind, id))
        return self._checked(found[0]) if found else None

    def count(self, kind: str) -> int:
        found: int = self._read("SELECT count(*) FROM rows WHERE kind = ?", (kind,))[0][0]
        return found

    def kinds(self) -> list[str]:
        return [kind for (kind,) in self._read("SELECT DISTINCT kind FROM rows ORDER BY kind", ())]

    def iterate(self, kind: str) -> Iterator[Row]:
        """Rows ordered by ``(position, id)``, in flat memory. Rows put meanwhile are seen if they come
        later in that order. No transaction is held between rows."""
        page = "SELECT * FROM rows WHERE kind = ? AND (position, id) > (?, ?) ORDER BY position, id LIMIT ?"
        position, id = -(2**63), ""
        while True:
            found = self._read(page, (kind, position, id, PAGE))
            for values in found:
                yield self._checked(values)
            if len(found) < PAGE:
                return
            id, position = found[-1][1], found[-1][2]

    def export_jsonl(self, kind: str, path: str | Path) -> int:
        """One payload a line, in order; the file is whole or not there. Returns the number of lines."""
        n = 0
        with atomic_file(Path(path)) as file:
            for row in self.iterate(kind):
                file.write(row.payload + b"\n")
                n += 1
        return n

    def close(self) -> None:
        """Folds the write-ahead log into the file. Closing twice is fine."""
        import sqlite3

        with self._lock:
            try:
                self._connection.close()
            except sqlite3.Error as error:
                raise self._storage_error(error) from error

    def __enter__(self) -> RecordStore:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _open(self) -> sqlite3.Connection:
        import sqlite3

        try:
            connection = _connect(self.path)
        except sqlite3.Error as error:
            raise self._storage_error(error) from error
        try:
            connection.execute("PRAGMA synchronous = FULL")
            if connection.execute("PRAGMA schema_version").fetchone()[0] == 0:  # new, or creation was killed
                if self._before_write:
                    self._before_write()
                connection.execute("PRAGMA journal_mode = WAL")
                connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if application == APPLICATION_ID and version > SCHEMA_VERSION:
                raise StorageError(f"{self.path}: written by a newer Lamina; upgrade Lamina to read it")
            if application != APPLICATION_ID:
                raise StorageError(f"{self.path}: not a Lamina record store; choose another folder")
            connection.execute("SELECT 1 FROM rows LIMIT 1").fetchone()
        except sqlite3.Error as error:
            connection.close()
            raise self._storage_error(error) from error
        except StorageError:
            connection.close()
            raise
        return connection

    def _read(self, query: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        import sqlite3

        with self._lock:
            try:
                return self._connection.execute(query, values).fetchall()
            except sqlite3.Error as error:
                raise self._storage_error(error) from error

    def _write(self, work: Callable[[sqlite3.Connection], int]) -> int:
        import sqlite3

        if self._before_write:
            self._before_write()
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                n = work(self._connection)
                self._connection.execute("COMMIT")
            except BaseException as error:  # Ctrl-C too: a transaction is whole or absent
                self._roll_back()
                if isinstance(error, sqlite3.Error):
                    raise self._storage_error(error) from error
                raise
            return n

    def _roll_back(self) -> None:
        import sqlite3
        from contextlib import suppress

        with suppress(sqlite3.Error):  # a closed connection, or SQLite rolled back by itself
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _checked(self, values: tuple[Any, ...]) -> Row:
        row = _whole(values)
        if row is None:
            what = f"damaged: the {values[0]} row {values[1]} does not match its checksum"
            raise StorageError(f"{self.path}: {what}; {_SALVAGE}")
        return row

    def _storage_error(self, error: Exception) -> StorageError:
        name = getattr(error, "sqlite_errorname", "") or ""
        for start, what in _PROBLEMS.items():
            if name.startswith(start):
                return StorageError(f"{self.path}: {what}")
        return StorageError(f"{self.path}: {error}")


_SALVAGE = "restore a copy, or start anew with --fresh (lamina.runs.salvage reads the rows that are whole)"
_PROBLEMS = {
    "SQLITE_FULL": "the disk is full; free some space and run the same command again",
    "SQLITE_IOERR": "the disk is full or failing; free some space and run the same command again",
    "SQLITE_CORRUPT": f"damaged; {_SALVAGE}",
    "SQLITE_NOTADB": f"damaged, or not a record store; {_SALVAGE}",
    "SQLITE_READONLY": "not writable; choose a folder you may write to",
    "SQLITE_CANTOPEN": "can't be opened or created; choose a folder you may write to",
    "SQLITE_PERM": "not writable; choose a folder you may write to",
    "SQLITE_BUSY": "in use by another process; wait until it ends",
}


def salvage(path: str | Path, on_damage: Callable[[str], None] | None = None) -> Iterator[Row]:
    """The whole rows of a damaged store, in the order in which they were committed, in flat memory.

    Goes row by row round the damaged pages; ``on_damage`` gets a sentence for each stretch that could not be
    read. Writes nothing. Raises StorageError where SQLite can't read even the header."""
    import sqlite3

    report = on_damage or (lambda sentence: None)
    one = "SELECT kind, id, position, payload, crc FROM rows NOT INDEXED WHERE rowid = ?"
    lost_from = 0
    try:
        connection = _connect(Path(path), mode="ro")
        try:
            # Without this SQLite refuses a file that is shorter than its header says.
            connection.execute("PRAGMA writable_schema = ON")
            last = _last_rowid(connection)
            for rowid in range(1, last + 2):
                try:
                    found = connection.execute(one, (rowid,)).fetchone() if rowid <= last else None
                except sqlite3.DatabaseError:
                    lost_from = lost_from or rowid
                    continue
                if lost_from:
                    report(f"rows numbered {lost_from} to {rowid - 1}, as far as there were any, are lost")
                    lost_from = 0
                row = _whole(found) if found else None
                if row:
                    yield row
                elif found:
                    report(f"row {rowid} does not match its checksum")
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise StorageError(f"{path}: nothing can be read: {error}; restore a copy") from error


def _last_rowid(connection: sqlite3.Connection) -> int:
    """The largest row number, or a bound above it where the last page is damaged."""
    import sqlite3

    try:
        found = connection.execute("SELECT max(rowid) FROM rows NOT INDEXED").fetchone()[0]
        return int(found or 0)
    except sqlite3.DatabaseError:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        return int(pages) * 64  # no more rows than this can have fitted: a row takes 64 bytes and more


def _connect(path: Path, mode: str = "rwc") -> sqlite3.Connection:
    import sqlite3

    uri = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=10, isolation_level=None, check_same_thread=False)


def _with_crc(row: Row) -> tuple[str, str, int, bytes, int]:
    return (row.kind, row.id, row.position, row.payload, _crc(row))


def _whole(values: tuple[Any, ...]) -> Row | None:
    """The row, or None where it does not match its checksum."""
    try:
        row = Row(values[0], values[1], values[2], bytes(values[3]))
        return row if _crc(row) == values[4] else None
    except (TypeError, AttributeError, ValueError):
        return None  # a flipped bit made a column another type


def _crc(row: Row) -> int:
    return zlib.crc32(row.payload, zlib.crc32(f"{row.kind}\0{row.id}\0{row.position}".encode()))

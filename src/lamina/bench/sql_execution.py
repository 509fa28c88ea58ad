"""Whether two queries give the same rows of a SQLite database. A model's query is run read-only, on a connection that
may read tables and nothing else, for a few seconds and a bounded number of rows."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from urllib.parse import quote

Rows = list[tuple[object, ...]]
SECONDS = 10.0
MOST_ROWS = 100_000
LONGEST_VALUE = 1 << 20
MOST_TEXT = 64 << 20
MOST_ORDERS = 720
"""Orders of columns that are tried, of those that fit column by column: all of six columns alike (our choice)."""
_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
_STEPS = 10_000
"""Of SQLite's machine between two looks at the clock."""


class QueryFailedError(Exception):
    """A query that could not be run to its end, and why."""


def run_query(database: Path, query: str, seconds: float = SECONDS) -> Rows:
    """Raises QueryFailedError for what SQLite refuses, for what would write or open another file, for too long, and for
    too many rows."""
    until = time.monotonic() + seconds
    address = f"file:{quote(str(database.absolute()))}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
            connection.set_authorizer(
                lambda action, *_: sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY
            )
            connection.set_progress_handler(lambda: int(time.monotonic() > until), _STEPS)
            return _bounded(connection.execute(query))
    except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
        raise QueryFailedError(str(error)) from None


def _bounded(given: Iterable[tuple[object, ...]]) -> Rows:
    rows: Rows = []
    size = 0
    for row in given:
        rows.append(row)
        size += sum(len(value) for value in row if isinstance(value, str | bytes))
        if len(rows) > MOST_ROWS or size > MOST_TEXT:
            raise QueryFailedError(f"it gives more than {MOST_ROWS:,} rows, or {MOST_TEXT:,} characters")
    return rows


def same_rows(said: Sequence[tuple[object, ...]], wanted: Sequence[tuple[object, ...]], *, in_order: bool) -> bool:
    """The same rows as often, in any order of columns; also in one order of rows where ``in_order``."""
    if len(said) != len(wanted):
        return False
    if not wanted:
        return True
    width = len(wanted[0])
    if len(said[0]) != width:
        return False
    columns = [dict(Counter(row[i] for row in wanted)) for i in range(width)]
    given = [dict(Counter(row[i] for row in said)) for i in range(width)]
    fitting = [[at for at, values in enumerate(given) if values == column] for column in columns]
    if any(len(fit) != columns.count(column) for fit, column in zip(fitting, columns, strict=True)):
        return False
    for order in islice(_orders(fitting), MOST_ORDERS):
        turned = [tuple(row[i] for i in order) for row in said]
        if turned == list(wanted) if in_order else Counter(turned) == Counter(wanted):
            return True
    return False


def _orders(fitting: Sequence[Sequence[int]], taken: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    """A column for each place, of those that fit there, none twice."""
    if len(taken) == len(fitting):
        yield taken
        return
    for at in fitting[len(taken)]:
        if at not in taken:
            yield from _orders(fitting, (*taken, at))

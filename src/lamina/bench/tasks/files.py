"""The files of benchmarks: where they lie, what their rows are, and where in a file something is wrong. Not a task
itself.

A task reads the rows of its file and takes what it needs from each. ``with told_with_place():`` around that makes one
line with the file and the line of whatever goes wrong there, so no task needs checks of its own for a missing column or
a value of another type."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, SupportsIndex

from lamina.errors import InputError
from lamina.tools.tool import JSON

AGAIN = "get the file again"
_WRONG_FORM = (LookupError, TypeError, ValueError, AttributeError)
"""What a task's reading runs into where a row is of another form."""


@dataclass(frozen=True)
class Place:
    """The row that was read last. ``line`` counts from 1; where a row has no line of its own, ``row`` does."""

    file: Path | None = None
    line: int | None = None
    row: int | None = None

    def error(self, what: str, mend: str = AGAIN) -> InputError:
        said = f"row {self.row} {what}" if self.row is not None and self.line is None else what
        return InputError(said, file=self.file, line=self.line, mend=mend)


_PLACE: ContextVar[Place] = ContextVar("place", default=Place())  # noqa: B039 - a place is never changed


def place() -> Place:
    return _PLACE.get()


def at(file: Path, line: int | None = None, row: int | None = None) -> None:
    """Said by whoever reads a row, before it is handed on."""
    _PLACE.set(Place(file, line, row))


@contextmanager
def told_with_place() -> Iterator[None]:
    """Raises InputError with the place of the last row for what its reader ran into; Lamina's own errors pass."""
    before = _PLACE.set(Place())
    try:
        yield
    except InputError:
        raise
    except _WRONG_FORM as error:
        what = f"has no {error}" if isinstance(error, KeyError) else f"is not of the published form ({error})"
        raise place().error(" ".join(what.split())) from error
    finally:
        _PLACE.reset(before)


def benchmark_file(data: str | Path | None, name: str, task: str) -> Path:
    """``name`` below the folder of benchmarks. Raises InputError where no folder was given or it is not there."""
    return _below(data, name, task, "file", Path.is_file)


def benchmark_folder(data: str | Path | None, name: str, task: str) -> Path:
    """As ``benchmark_file``, of a folder."""
    return _below(data, name, task, "folder", Path.is_dir)


def _below(data: str | Path | None, name: str, task: str, kind: str, is_there: Callable[[Path], bool]) -> Path:
    if data is None:
        what = f"the task {task!r} needs a folder of benchmark files"
        raise InputError(what, mend=f"name the folder that holds {name} with --data")
    found = Path(data) / name
    if not is_there(found):
        raise InputError(f"there is no such {kind}", file=found, mend=f"name the folder for {task!r} with --data")
    return found


def text_of(file: Path) -> str:
    """Raises InputError for a file that cannot be read, and with the line for bytes that are no UTF-8."""
    at(file)
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=file, mend="check the path") from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError("is not UTF-8", file=file, line=line, mend="save the file as UTF-8") from None


def csv_rows(file: Path, names: Sequence[str] | None = None) -> Iterator[dict[str, str]]:
    """``names``: of the columns, where the first line does not say them. Raises InputError for a row of more or fewer
    fields than there are columns, and for a quote that is not closed: both would shift a row's texts, or swallow rows,
    without a word."""
    csv.field_size_limit(sys.maxsize)
    reader = csv.DictReader(io.StringIO(text_of(file), newline=""), names, strict=True)
    line = 1
    try:
        line = (reader.line_num if reader.fieldnames else 0) + 1
        for row in reader:
            at(file, line)
            if None in row or None in row.values():
                wanted = "there are columns" if names else "the first line"
                raise place().error(f"has another number of fields than {wanted} ({len(reader.fieldnames or ())})")
            yield row
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"is not CSV ({error})", file=file, line=line, mend=AGAIN) from None


class JsonRows(list[Any]):
    """What a file holds, in order; whoever goes through it is at the row's ``lines`` (None: at its number)."""

    def __init__(self, rows: Sequence[Any], file: Path, lines: Sequence[int | None]):
        super().__init__(rows)
        self.file, self.lines = file, lines

    def __iter__(self) -> Iterator[Any]:
        for number, (row, line) in enumerate(zip(super().__iter__(), self.lines, strict=True), 1):
            at(self.file, line, number if line is None and len(self) > 1 else None)
            yield row

    def __getitem__(self, index: SupportsIndex | slice) -> Any:
        at(self.file)
        return super().__getitem__(index)


def json_rows(file: Path) -> JsonRows:
    """The objects of a JSON array, of one JSON object, or of one object a line. Raises InputError with the line."""
    text = text_of(file)
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        return _json_lines(text, file, error)
    rows = whole if isinstance(whole, list) else [whole]
    alone = [1] if rows is not whole and "\n" not in text.strip() else None  # one object on one line is also a line
    return JsonRows(rows, file, alone or [None] * len(rows))


def _json_lines(text: str, file: Path, whole: Exception) -> JsonRows:
    """``whole``: why the text is not one document."""
    found: list[Any] = []
    lines: list[int] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            found.append(json.loads(line))
        except (ValueError, RecursionError) as error:
            cause, at_line = error, number
            if not found and isinstance(whole, json.JSONDecodeError):  # one document over several lines
                cause, at_line = whole, whole.lineno
            said = cause.msg if isinstance(cause, json.JSONDecodeError) else cause
            raise InputError(f"is not JSON: {said}", file=file, line=at_line, mend="mend the line") from None
        lines.append(number)
    return JsonRows(found, file, lines)


def text_in(row: JSON, key: str) -> str:
    """What a prompt is made of: "None" in it would be asked without a word. Raises InputError with the place."""
    found = row[key]
    if not isinstance(found, str):
        raise place().error(f"has no text {key!r}")
    return found


def json_object(file: Path) -> JSON:
    """The one object of a file. Raises InputError where it holds something else."""
    rows = json_rows(file)
    if len(rows) != 1 or not isinstance(rows[0], dict):
        raise InputError("is not one JSON object", file=file, mend=AGAIN)
    found: JSON = rows[0]
    return found

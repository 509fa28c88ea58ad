"""The record form: one trajectory a line, as ``datasets`` and TRL read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from lamina.errors import InputError
from lamina.runs.files import atomic_file
from lamina.trajectories.formats.format import Format, OnReject
from lamina.trajectories.formats.reading.rows import raw_rows
from lamina.trajectories.trajectory import Reject, Trajectory, json_line

UNREADABLE = "unreadable"  # checks.reasons.Reason.UNREADABLE; the checks are a floor above


def read(path: Path, on_reject: OnReject | None = None) -> Iterator[Trajectory]:
    """Blank lines are skipped, a byte order mark too. Parquet that ``data export`` wrote is read as well."""
    try:
        with open(path, "rb") as file:
            packed = file.read(4) == b"PAR1"
            file.seek(0)
            for number, line in _packed(path) if packed else enumerate(file, 1):
                text = line.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else line.strip()
                if text and (found := _record(text, path, number, on_reject)):
                    yield found
    except OSError as error:
        raise InputError(f"can't be read: {error.strerror}", file=path, mend="check the path") from error


def _record(text: bytes, path: Path, number: int, on_reject: OnReject | None) -> Trajectory | None:
    from pydantic import ValidationError

    try:
        return Trajectory.from_json(text)
    except ValidationError as error:
        what = in_words(error)
        if on_reject is None:
            mend = "make it one trajectory a line (see the record form)"
            raise InputError(what, file=path, line=number, mend=mend) from None
        raw = text.decode(errors="replace")
        on_reject(Reject(id=f"{path}:{number}", stage="read", reason=UNREADABLE, detail=what, raw=raw))
        return None


def _packed(path: Path) -> Iterator[tuple[int, bytes]]:
    """Rows of a Parquet file as lines; a file that breaks off ends in a line that is no JSON."""
    for raw in raw_rows(path, "parquet"):
        yield raw.number, (raw.problem or "").encode() or json_line(_there(raw.value))


def _there(row: dict[str, Any]) -> dict[str, Any]:
    """A column that a record does not have is null in Parquet."""
    return {name: value for name, value in row.items() if value is not None}


def is_record(row: dict[str, Any]) -> bool:
    from pydantic import ValidationError

    try:
        Trajectory.model_validate(_there(row))
    except ValidationError:
        return False
    return True


def write(path: Path, trajectories: Iterable[Trajectory]) -> int:
    n = 0
    with atomic_file(path) as file:
        for trajectory in trajectories:
            file.write(trajectory.to_json() + b"\n")
            n += 1
    return n


def in_words(error: Exception) -> str:
    """The first problem of a pydantic ValidationError, as ``messages.0.role: …``."""
    from pydantic import ValidationError

    assert isinstance(error, ValidationError)
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    more = error.error_count() - 1
    tail = f" (and {more} more)" if more else ""
    return f"{where}: {first['msg']}{tail}" if where else f"{first['msg']}{tail}"


FORMAT = Format("jsonl", "Lamina's record form, one JSON line a trajectory (TRL and datasets read it)", read, write)

"""A format of rows: given how one row is read and written, the rest (files, rejects, losses) is the same for all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from lamina.errors import InputError
from lamina.runs.files import atomic_file
from lamina.trajectories.formats.format import Format, OnReject, Sample
from lamina.trajectories.formats.reading.losses import differences
from lamina.trajectories.formats.reading.refused import Refused
from lamina.trajectories.formats.reading.rows import Raw, layout_of, raw_rows
from lamina.trajectories.formats.reading.toolspecs import SECRET_NAME, without_secrets
from lamina.trajectories.trajectory import Reject, Trajectory, json_line

JSON = dict[str, Any]
UNREADABLE = "unreadable"
RowReader = Callable[[Any, Path], JSON | list[JSON] | list[JSON | Refused]]
"""One row (and the file it is in, for tables that lie beside it) to records as plain objects. Raises Refused or
ValueError; of a row that holds several records, those that are none may stand as Refused in the list."""
RowWriter = Callable[[Trajectory], Any]


def foreign(
    name: str,
    description: str,
    detect: Callable[[Sample], str | None] | None,
    read_row: RowReader,
    write_row: RowWriter | None = None,
    *,
    whole_file: bool = False,
    lacks: Iterable[str] = (),
) -> Format:
    """``whole_file``: the rows of a file are the turns of ONE record (API-Bank); ``read_row`` gets them as a
    list. ``lacks``: fields of a record that the format has no place for, as ``reading.losses`` names them."""

    def from_row(row: Any, path: Path) -> list[Trajectory]:
        found = records_of(row, path, read_row, name, "row")
        if refused := next((one for _, one in found if isinstance(one, Refused)), None):
            raise refused
        return [one for _, one in found if isinstance(one, Trajectory)]

    def read(path: Path, on_reject: OnReject | None) -> Iterator[Trajectory]:
        return _read(path, on_reject, read_row, name, whole_file)

    def write(path: Path, trajectories: Iterable[Trajectory]) -> int:
        assert write_row is not None
        n = 0
        with atomic_file(path) as file:
            for trajectory in trajectories:
                file.write(json_line(write_row(trajectory)) + b"\n")
                n += 1
        return n

    def losses(trajectory: Trajectory) -> Counter[str]:
        assert write_row is not None
        try:
            back = from_row(write_row(trajectory), Path("."))
        except Refused:
            back = []
        return differences(trajectory, back)

    if write_row is None:
        return Format(name, description, read, detect=detect, from_row=from_row)
    return Format(name, description, read, write, detect, losses, from_row, write_row, frozenset(lacks))


def _read(
    path: Path, on_reject: OnReject | None, read_row: RowReader, name: str, whole_file: bool
) -> Iterator[Trajectory]:
    rows: Iterable[Raw] = raw_rows(path, layout_of(path))
    if whole_file:
        rows = [_together(list(rows))]
    for raw in rows:
        for where, one in _of_raw(raw, path, read_row, name):
            if isinstance(one, Trajectory):
                yield one
            elif on_reject is None:
                mend = f"mend it, or keep rejects aside (it was read as {name})"
                raise InputError(one.detail, file=path, line=raw.number, mend=mend)
            else:
                on_reject(Reject(id=where, stage="read", reason=one.reason, detail=one.detail, raw=_as_it_was(raw)))


def _as_it_was(raw: Raw) -> str:
    try:
        return raw.text or json_line(without_secrets(raw.value)).decode(errors="replace")
    except RecursionError:
        return "(nested too deep to be written)"


def _of_raw(raw: Raw, path: Path, read_row: RowReader, name: str) -> list[tuple[str, Trajectory | Refused]]:
    where = f"{path}:{raw.number}"
    if raw.problem is not None:
        return [(where, Refused(UNREADABLE, raw.problem))]
    try:
        return records_of(raw.value, path, read_row, name, where)
    except Refused as refused:
        return [(where, refused)]


def _together(rows: list[Raw]) -> Raw:
    broken = next((r for r in rows if r.problem), None)
    return broken or Raw(1, [r.value for r in rows])


def records_of(
    row: Any, path: Path, read_row: RowReader, name: str, where: str
) -> list[tuple[str, Trajectory | Refused]]:
    """The records of one row, validated, each with where it stands. Raises Refused whatever a row may hold."""
    from pydantic import ValidationError

    try:
        found = read_row(row, path)
        rows = found if isinstance(found, list) else [found]
        if not rows:
            raise Refused("not-a-trajectory", "the row holds no dialogue")
        places = [f"{where}.{number}" if len(rows) > 1 else where for number in range(1, len(rows) + 1)]
        return [
            (place, one if isinstance(one, Refused) else _record(one, name, place))
            for place, one in zip(places, rows, strict=True)
        ]
    except Refused:
        raise
    except ValidationError as error:
        from lamina.trajectories.formats.jsonl import in_words

        raise Refused(UNREADABLE, in_words(error)) from None
    except RecursionError:
        raise Refused(UNREADABLE, "nested too deeply") from None
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError) as error:
        said = str(error).splitlines()[:1] or [type(error).__name__]
        raise Refused(UNREADABLE, f"not a row of {name}: {said[0][:200]}") from None


def _record(row: JSON, name: str, where: str) -> Trajectory:
    given = row.get("id")
    named = isinstance(given, str | int) and str(given)
    row["id"] = str(given).encode("utf-8", "replace").decode() if named else where  # half a surrogate pair is no name
    meta = row.setdefault("meta", {})
    if not meta.get("source"):
        meta["source"] = name
    return Trajectory.model_validate(row)


def record(
    messages: list[JSON], tools: list[JSON] | None = None, *, id: Any = None, rest: JSON | None = None, **meta: Any
) -> JSON:
    """A record as a plain object. ``rest`` (keys of the row that have no place in a record) is kept in
    ``meta.extra``, so that nothing is dropped; access keys are not."""
    if not messages:
        raise Refused(UNREADABLE, "there are no messages")
    kept = without_secrets({k: v for k, v in (rest or {}).items() if v is not None})
    found = {k: v for k, v in meta.items() if v is not None}
    if kept:
        found["extra"] = kept
    return {"id": id, "tools": tools or [], "messages": messages, "meta": found}


def others(row: JSON, *known: str) -> JSON:
    """The keys of a row that its reader does not read."""
    return {k: v for k, v in row.items() if k not in known and not SECRET_NAME.search(str(k))}


def needs(row: Any, *keys: str) -> JSON:
    """``row``, which must be an object with these keys. Raises Refused."""
    if not isinstance(row, dict):
        raise Refused(UNREADABLE, f"the row is {type(row).__name__}, not an object")
    missing = [key for key in keys if key not in row]
    if missing:
        raise Refused(UNREADABLE, f"the row has no {missing[0]!r} (it has {', '.join(map(str, list(row)[:6]))})")
    return row

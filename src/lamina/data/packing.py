"""Pack: rows of JSON as Parquet that ``datasets.load_dataset`` and TRL read unchanged.

Columns of text stay text; lists and objects are declared as ``datasets``' ``Json()``, because the shape of arguments
differs from row to row and a nested Arrow type would fill every absent key with null."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from lamina.errors import InputError, MissingExtraError
from lamina.runs.files import atomic_file
from lamina.trajectories.formats.reading.rows import parse_json
from lamina.trajectories.trajectory import json_line

GROUP = 1000
"""Rows that are held and written at once."""
_SCALARS: dict[str, type] = {"string": str, "bool": bool, "int64": int, "float64": float}


def pack(rows: Path, file: Path) -> int:
    """Writes the JSON Lines of ``rows`` to the Parquet ``file`` (whole or not at all); returns how many. They are read
    twice, first for what each column holds. Raises InputError for rows that are no objects, and MissingExtraError."""
    try:
        import pyarrow as arrow  # type: ignore[import-untyped]
        import pyarrow.parquet as parquet  # type: ignore[import-untyped]
    except ImportError:
        raise MissingExtraError("pyarrow", "train") from None
    columns = _columns(rows)
    types = {"json": arrow.json_(), "list": arrow.list_(arrow.json_())}
    fields = [(name, types[kind] if kind in types else getattr(arrow, kind)()) for name, kind in columns.items()]
    features = {"info": {"features": {name: _feature(kind) for name, kind in columns.items()}}}
    schema = arrow.schema(fields, metadata={"huggingface": json.dumps(features)})
    n, objects = 0, _objects(rows)
    with atomic_file(file) as out, parquet.ParquetWriter(out, schema) as writer:
        while group := list(islice(objects, GROUP)):
            stored = {name: _stored(arrow, group, name, kind) for name, kind in columns.items()}
            writer.write_table(arrow.table(stored, schema=schema))
            n += len(group)
    return n


def _objects(rows: Path) -> Iterator[dict[str, Any]]:
    with open(rows, "rb") as lines:
        for number, line in enumerate(lines, 1):
            row = parse_json(line)
            if not isinstance(row, dict):
                raise InputError("its rows are no objects, and Parquet has columns", file=rows, line=number,
                                 mend="write it as JSON Lines")  # fmt: skip
            yield row


def _columns(rows: Path) -> dict[str, str]:
    """The narrowest kind that holds all values of a column: a scalar's, ``list`` (of JSON) or ``json``."""
    found: dict[str, set[str]] = {}
    for row in _objects(rows):
        for name, value in row.items():
            kinds = found.setdefault(name, set())
            if value is not None:
                kinds.add(_kind(value))
    return {name: kinds.pop() if len(kinds) == 1 else "json" for name, kinds in found.items()}


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return "list" if all(item is not None for item in value) else "json"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 1 << 63:
        return "json"
    return next((name for name, one in _SCALARS.items() if type(value) is one), "json")


def _feature(kind: str) -> dict[str, Any]:
    if kind == "list":
        return {"feature": {"_type": "Json"}, "_type": "List"}
    return {"_type": "Json"} if kind == "json" else {"dtype": kind, "_type": "Value"}


def _stored(arrow: Any, group: list[dict[str, Any]], name: str, kind: str) -> Any:
    values = [row.get(name) for row in group]
    if kind in _SCALARS:
        return arrow.array(values, getattr(arrow, kind)())
    if kind == "json":
        return _json_array(arrow, values)
    ends = [0]
    for value in values:
        ends.append(ends[-1] + len(value or []))
    starts = [None if value is None else end for value, end in zip(values, ends, strict=False)]
    offsets = arrow.array([*starts, ends[-1]], arrow.int32())
    return arrow.ListArray.from_arrays(offsets, _json_array(arrow, [item for value in values for item in value or []]))


def _json_array(arrow: Any, values: list[Any]) -> Any:
    texts = [None if value is None else json_line(value).decode() for value in values]
    return arrow.ExtensionArray.from_storage(arrow.json_(), arrow.array(texts, arrow.string()))

"""Files of public data sets in the forms that people have them in: CSV, JSON, one object a line, Parquet. Not a task
itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lamina.bench.tasks.files import at, benchmark_file, csv_rows, json_rows, place
from lamina.errors import InputError, MissingExtraError
from lamina.tools.tool import JSON

SUFFIXES = (".csv", ".json", ".jsonl", ".parquet")


def first_file(data: str | Path | None, names: Sequence[str], task: str) -> Path:
    """The first of ``names`` (patterns below the folder of benchmarks) that is there; a name without a suffix is tried
    with each of ``SUFFIXES``. Raises InputError that names the first where none is."""
    for name in names if data is not None else ():
        for pattern in [name] if Path(name).suffix in SUFFIXES else [name + suffix for suffix in SUFFIXES]:
            found = sorted(Path(data or "").glob(pattern))
            if found:
                return found[0]
    first = names[0] if Path(names[0]).suffix in SUFFIXES else names[0] + SUFFIXES[0]
    return benchmark_file(data, first, task)


def table_rows(file: Path, columns: Sequence[str]) -> Iterator[JSON]:
    """The rows of ``file`` in order. Raises InputError where a row lacks one of ``columns``, or has no text there, and
    MissingExtraError where a Parquet file needs a library that is absent."""
    for row in _rows(file):
        missing = [name for name in columns if not isinstance(row, dict) or not isinstance(row.get(name), str)]
        if missing:
            what = f"has no text {', '.join(repr(name) for name in missing)}"
            raise place().error(what, f"its columns should be {', '.join(columns)}")
        yield row


def _rows(file: Path) -> Iterator[Any]:
    if file.suffix == ".csv":
        yield from csv_rows(file)
    elif file.suffix == ".parquet":
        yield from _parquet_rows(file)
    else:
        yield from json_rows(file)


def _parquet_rows(file: Path) -> Iterator[Any]:
    try:
        from pyarrow import ArrowInvalid, parquet  # type: ignore[import-untyped]
    except ImportError:
        raise MissingExtraError("pyarrow", "train") from None
    try:
        with parquet.ParquetFile(file) as table:
            rows = (row for batch in table.iter_batches() for row in batch.to_pylist())
            for number, row in enumerate(rows, 1):
                at(file, row=number)
                yield row
    except ArrowInvalid as error:
        raise InputError(f"is no Parquet file ({str(error).splitlines()[0]})", file=file, mend="get it again") from None

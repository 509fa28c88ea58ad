"""The rows of a file, whatever it is kept in: JSON Lines, one JSON array, one object, Parquet, CSV, plain text."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from lamina.errors import InputError
from lamina.trajectories.formats.format import Sample

BOM = b"\xef\xbb\xbf"
LOOKED_AT = 8
_PEEK = 1 << 16


@dataclass(frozen=True)
class Raw:
    """One row as it stands in the file; ``number`` is its line, or its place in the array, from 1."""

    number: int
    value: Any = None
    problem: str | None = None
    text: str = ""


def layout_of(path: Path) -> str:
    """``jsonl``, ``array``, ``object``, ``parquet``, ``csv`` or ``text``, by what is in the file."""
    try:
        with open(path, "rb") as file:
            head = file.read(_PEEK)
    except OSError as error:
        raise InputError(f"can't be read: {error.strerror}", file=path, mend="check the path") from error
    if head.startswith(b"PAR1"):
        return "parquet"
    if path.suffix == ".csv":
        return "csv"
    text = head.removeprefix(BOM).lstrip()
    if not text:
        return "jsonl"
    if text[:1] not in (b"{", b"["):
        return "jsonl" if path.suffix == ".jsonl" else "text"
    first, *rest = text.split(b"\n", 1)
    whole_line = _parses(first)
    more = bool(rest and rest[0].strip())
    if whole_line and (more or (text[:1] == b"{" and path.suffix != ".json")):
        return "jsonl"
    if path.suffix == ".jsonl" and text[:1] == b"{" and not _opens_a_long_value(first):
        return "jsonl"
    return "array" if text[:1] == b"[" else "object"


def raw_rows(path: Path, layout: str | None = None) -> Iterator[Raw]:
    """Every row once, in order. JSON Lines, Parquet and CSV stream; a whole-file array is held in memory."""
    layout = layout or layout_of(path)
    if layout == "parquet":
        yield from _parquet(path)
    elif layout == "csv":
        with open(path, encoding="utf-8-sig", errors="replace", newline="") as table:
            try:
                for number, row in enumerate(csv.DictReader(table), 2):
                    yield Raw(number, row)
            except csv.Error as error:
                yield Raw(2, problem=f"not CSV: {error}")
    elif layout == "text":
        yield Raw(1, path.read_bytes().removeprefix(BOM).decode(errors="replace"))
    elif layout == "jsonl":
        yield from _lines(path)
    else:
        yield from _whole(path)


def sample_of(path: Path) -> Sample:
    layout = layout_of(path)
    if layout == "text":
        with open(path, "rb") as file:
            text = file.read(_PEEK).decode(errors="replace")
        return Sample(path, layout, [text], text)
    rows = [raw.value for raw in islice(raw_rows(path, layout), LOOKED_AT) if raw.problem is None]
    return Sample(path, layout, rows)


_LONG_TEXT, _LONG_BYTES = re.compile(r"\d{19}"), re.compile(rb"\d{19}")


def parse_json(text: bytes | str) -> Any:
    """Any JSON, numbers beyond 64 bits too (orjson makes floats of them). Raises ValueError."""
    long = _LONG_BYTES.search(text) if isinstance(text, bytes) else _LONG_TEXT.search(text)
    try:
        if long:
            raise ValueError("a number of many digits")
        return orjson.loads(text)
    except ValueError:
        try:
            return json.loads(text, parse_constant=_refuse)
        except RecursionError:
            raise ValueError("nested too deeply") from None


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _lines(path: Path) -> Iterator[Raw]:
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            text = line.removeprefix(BOM).strip() if number == 1 else line.strip()
            if not text:
                continue
            try:
                yield Raw(number, parse_json(text))
            except ValueError as error:
                yield Raw(number, problem=f"not JSON: {_first_line(error)}", text=text.decode(errors="replace"))


def _whole(path: Path) -> Iterator[Raw]:
    data = path.read_bytes().removeprefix(BOM)
    try:
        value = parse_json(data)
    except ValueError as error:
        yield Raw(1, problem=f"not JSON: {_first_line(error)}", text=data[:10_000].decode(errors="replace"))
        return
    if isinstance(value, list):
        for number, row in enumerate(value, 1):
            yield Raw(number, row)
    else:
        yield Raw(1, value)


def _parquet(path: Path) -> Iterator[Raw]:
    from lamina.errors import MissingExtraError

    try:
        import pyarrow.parquet as parquet  # type: ignore[import-untyped]
    except ImportError:
        raise MissingExtraError("pyarrow", "train") from None
    number = 0
    try:
        for batch in parquet.ParquetFile(path).iter_batches(batch_size=256):
            written = [field.name for field in batch.schema if "arrow.json" in str(field.type)]
            for row in batch.to_pylist():
                number += 1
                yield Raw(number, row | {name: _read_json(row[name]) for name in written})
    except (OSError, ValueError) as error:  # pyarrow's own errors derive from these
        yield Raw(number + 1, problem=f"not a whole Parquet file: {_first_line(error)}")


def _read_json(value: Any) -> Any:
    """Of a column that Arrow keeps as JSON text (``datasets``' ``Json()``), one by one or in lists."""
    if isinstance(value, list):
        return [_read_json(item) for item in value]
    return None if value is None else parse_json(value)


def _parses(line: bytes) -> bool:
    try:
        parse_json(line)
    except ValueError:
        return False
    return True


def _opens_a_long_value(line: bytes) -> bool:
    """A first line that is only an opening bracket or ends amid a value: printed over several lines."""
    stripped = line.strip()
    return stripped in (b"{", b"[") or stripped.endswith((b",", b":", b"{", b"["))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]

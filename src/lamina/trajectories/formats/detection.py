"""Which format a file is in, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lamina.errors import InputError
from lamina.trajectories.formats import jsonl
from lamina.trajectories.formats.format import Format, Sample
from lamina.trajectories.formats.reading.rows import sample_of


@dataclass(frozen=True)
class Detected:
    """A format's name, and what in the file decided it."""

    name: str
    reason: str


def choose(path: Path, formats: Mapping[str, Format]) -> Detected:
    """The first format that knows the file's first rows. Raises InputError that says what was seen."""
    sample = sample_of(path)
    if not sample.rows and sample.layout == "jsonl":
        return Detected("jsonl", "it has no row that can be read" if path.stat().st_size else "it is empty")
    if _is_record(sample.row):
        return Detected(
            "jsonl" if sample.layout == "jsonl" or _is_packed(sample) else "openai",
            "rows have messages with roles and tools",
        )
    for one in formats.values():
        if one.detect is None:
            continue
        try:
            reason = one.detect(sample)
        except (AttributeError, TypeError, KeyError, IndexError, ValueError):
            reason = None  # a file that looks alike at first: another format may know it
        if reason:
            return Detected(one.name, reason)
    raise InputError(
        f"no known format: {_seen(sample)}", file=path, mend="name it with --from, or see 'lamina formats'"
    )


def _is_record(row: Any) -> bool:
    """Lamina's own lines: ids, messages with contents that are text, arguments that are objects, and meta."""
    if not isinstance(row, dict) or not {"id", "messages", "meta"} <= set(row):
        return False
    messages = row["messages"]
    return isinstance(messages, list) and all(isinstance(m, dict) and "role" in m for m in messages)


def _is_packed(sample: Sample) -> bool:
    """Parquet that Lamina wrote; what others wrote may hold a null for every key that a row has not."""
    return sample.layout == "parquet" and jsonl.is_record(sample.row)


def _seen(sample: Sample) -> str:
    row = sample.row
    if isinstance(row, dict):
        return f"its rows have the keys {', '.join(map(str, list(row)[:8]))}"
    if sample.layout == "text":
        return "it is text without Action: lines"
    return f"its rows are {type(row).__name__}" if sample.rows else "no row in it can be read"

"""Tables that lie beside a data file and hold its tools."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from lamina.errors import InputError
from lamina.trajectories.formats.reading.rows import raw_rows
from lamina.trajectories.formats.reading.toolspecs import tool_of

JSON = dict[str, Any]


def find_beside(path: Path, name: str, floors: int = 0) -> Path | None:
    """``name`` in the folder of ``path``, or up to ``floors`` folders above."""
    for folder in [path.parent, *list(path.resolve().parents)[1 : 1 + floors]]:
        if (folder / name).is_file():
            return folder / name
    return None


@lru_cache(maxsize=8)
def tools_beside(table: Path, reader: Callable[[Any], JSON] = tool_of) -> dict[str, JSON]:
    """Tools by name, as ``reader`` makes them of the table's rows; rows that are no tool are passed over."""
    found: dict[str, JSON] = {}
    try:
        for raw in raw_rows(table):
            try:
                tool = reader(raw.value)
            except (ValueError, TypeError, AttributeError, KeyError):
                continue
            found[tool["function"]["name"]] = tool
    except (OSError, InputError):
        return found
    return found


def those_of(names: list[str], table: dict[str, JSON]) -> list[JSON]:
    """The tools that are called, each once, in order."""
    return [table[name] for name in dict.fromkeys(names) if name in table]

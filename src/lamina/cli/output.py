"""What a verb prints: one JSON object for machines, or lines for people. Progress goes to standard error."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any, TextIO

__all__ = ["given", "listed", "results_alone", "show", "table", "tell"]

_RESULTS: ContextVar[TextIO | None] = ContextVar("results", default=None)


@contextlib.contextmanager
def results_alone() -> Iterator[None]:
    """Inside, whatever libraries print goes to standard error: ``show`` and ``tell`` alone reach standard
    output, so that scripts can read it."""
    token = _RESULTS.set(sys.stdout)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        _RESULTS.reset(token)


def tell(line: str) -> None:
    """One line of a result, at once."""
    whole = line.encode("utf-8", "replace").decode()  # half a surrogate pair of somebody's data can't be printed
    print(whole, file=_RESULTS.get() or sys.stdout, flush=True)


def show(result: Any, *, as_json: bool, lines: Iterable[str]) -> None:
    """Prints ``result`` as JSON, or ``lines``."""
    if as_json:
        import orjson

        options = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
        try:
            tell(orjson.dumps(result, default=str, option=options).decode())
        except TypeError:  # a model writes integers of any length
            tell(json.dumps(result, default=str, indent=2, ensure_ascii=False))
    else:
        for line in lines:
            tell(line)


def table(rows: Sequence[Sequence[object]], indent: str = "") -> list[str]:
    """Columns as wide as their widest cell; the last one is left as it is."""
    if not rows:
        return []
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]) - 1)]
    return [
        (indent + "  ".join([*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[-1]])).rstrip()
        for row in cells
    ]


def given(**values: Any) -> dict[str, Any]:
    """Those that were given: what is left out keeps the default of the settings it belongs to."""
    return {name: value for name, value in values.items() if value is not None}


def listed(text: str | None) -> tuple[str, ...] | None:
    """``a, b,c`` as its parts; None where nothing was given."""
    return None if text is None else tuple(part.strip() for part in text.split(",") if part.strip())

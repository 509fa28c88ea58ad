"""BFCL v4's rows: where they are found, and how they are read.

The data belongs to the Berkeley Function Calling Leaderboard (Apache-2.0) and is not part of Lamina. It is looked
for in a folder that was named and in ``bfcl`` below it (with several tasks it is the root of all benchmarks' folders),
in ``$LAMINA_BFCL``, in the installed package ``bfcl-eval``, and where ``lamina bench fetch bfcl`` puts it. Nothing here
imports that package: its data files are read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from lamina.bench.tasks.bfcl.categories import CATEGORIES, MULTI_TURN, Category
from lamina.bench.tasks.files import at, place, text_of, told_with_place
from lamina.errors import InputError
from lamina.runs import files
from lamina.tools.tool import JSON

VARIABLE, PACKAGE = "LAMINA_BFCL", "bfcl_eval"
MEND = "'lamina bench fetch bfcl' gets it, or name its folder with --data or $LAMINA_BFCL"
Found = TypeVar("Found")


@dataclass(frozen=True)
class BfclRow:
    """``messages`` of the first (only) turn; ``answers``: one ``{function: {argument: [right values]}}`` a call."""

    id: str
    messages: list[JSON]
    functions: list[JSON]
    answers: list[JSON]


def cache_folder() -> Path:
    """Where ``lamina bench fetch bfcl`` unpacks the data."""
    return files.cache_folder("bfcl")


def find_data(folder: str | Path | None = None) -> Path:
    """The folder with ``BFCL_v4_*.json``: of those in the first lines of this file the first that has any. Raises
    InputError that says how to get it."""
    return find_below("data of BFCL v4", folder, _data_in, _data_elsewhere)


def find_below(
    what: str, folder: str | Path | None, held_by: Callable[[Path], Found | None], elsewhere: Callable[[], Found | None]
) -> Found:
    """What ``held_by`` finds in a folder that was named or in ``bfcl`` below it, else ``elsewhere``. Raises
    InputError, which names the folder and ``what`` is missing, where nothing is found."""
    for named in (Path(folder), Path(folder) / "bfcl") if folder else ():
        if (found := held_by(named)) is not None:
            return found
    found = elsewhere()
    if found is None:
        missing = f"holds no {what}, neither does 'bfcl' below it or any other place"
        raise InputError(missing if folder else f"the {what} is not on this machine", file=folder, mend=MEND)
    return found


def _data_elsewhere() -> Path | None:
    """``$LAMINA_BFCL`` was named for nothing else: it must hold the data."""
    named = os.environ.get(VARIABLE)
    if named:
        found = _data_in(Path(named))
        if found is None:
            raise InputError("holds no BFCL_v4_simple_python.json", file=named, mend=MEND)
        return found
    places = [place for place in (files.installed_folder(PACKAGE), cache_folder()) if place is not None]
    return next((found for place in places if (found := _data_in(place)) is not None), None)


def _data_in(place: Path) -> Path | None:
    """The folder itself, a package folder or an unpacked wheel."""
    for inner in ("", "data", "bfcl_eval/data"):
        if any((place / inner).glob("BFCL_v4_*.json")):
            return place / inner
    return None


def read_rows(category: str, folder: str | Path | None = None) -> list[BfclRow]:
    """The rows of one category in the order of the file. Raises InputError for an unknown category, for data that
    is not there, and with file and line for a row that cannot be used."""
    return list(_read_rows(known_category(category), find_data(folder)))


def known_category(name: str) -> Category:
    """A single-turn one. Raises InputError that lists all categories."""
    if name not in CATEGORIES:
        what = f"there is no category {name!r} of BFCL" if name else "the task 'bfcl' needs a category"
        raise InputError(what, mend=f"write bfcl:NAME, one of {', '.join((*CATEGORIES, *MULTI_TURN))}")
    return CATEGORIES[name]


@lru_cache(maxsize=16)
def _read_rows(category: Category, folder: Path) -> tuple[BfclRow, ...]:
    file = folder / f"BFCL_v4_{category.name}.json"
    answers: dict[str, list[JSON]] = {}
    if category.has_answers:
        answers_file = folder / "possible_answer" / file.name
        answers = {row["id"]: row["ground_truth"] for row in _objects(answers_file, ("id", "ground_truth"))}
    rows = []
    with told_with_place():
        for line, row in enumerate(_objects(file, ("id", "question", "function")), 1):
            at(file, line)
            if category.has_answers and row["id"] not in answers:
                raise place().error(f"row {row['id']!r} has no right answer", MEND)
            asked, functions = row["question"][0], row["function"]
            if not asked or not all(isinstance(m["content"], str) and m["role"] for m in asked):
                raise place().error("has no text to ask", MEND)
            if not all(isinstance(function["name"], str) for function in functions):
                raise place().error("has a function without a name", MEND)
            rows.append(BfclRow(row["id"], asked, functions, answers.get(row["id"], [])))
    if not rows:
        raise InputError("holds no question", file=file, mend=MEND)
    return tuple(rows)


def _objects(file: Path, keys: tuple[str, ...]) -> list[Any]:
    """Parsed with the standard library: numbers as the leaderboard reads them, integers of any size."""
    rows = []
    for number, line in enumerate(text_of(file).split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"is not JSON ({error})", file=file, line=number, mend=MEND) from None
        if not isinstance(row, dict) or any(key not in row for key in keys):
            raise InputError(f"a row without {', '.join(keys)}", file=file, line=number, mend=MEND)
        rows.append(row)
    return rows

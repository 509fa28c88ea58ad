"""BFCL v4's rows: where they are found, and how they are read.

The data belongs to the Berkeley Function Calling Leaderboard (Apache-2.0) and is not part of Lamina. It is looked
for in a folder that was named, in ``$LAMINA_BFCL``, in the installed package ``bfcl-eval``, and where
``lamina bench fetch bfcl`` puts it. Nothing here imports that package: its data files are read.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lamina.bench.tasks.bfcl.categories import CATEGORIES, Category
from lamina.bench.tasks.files import at, place, text_of, told_with_place
from lamina.errors import InputError
from lamina.runs import files
from lamina.tools.tool import JSON

VARIABLE = "LAMINA_BFCL"
MEND = "'lamina bench fetch bfcl' gets it, or name its folder with --data or $LAMINA_BFCL"


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
    """The folder with ``BFCL_v4_*.json``. A folder that was named must hold it; else the first found counts. Raises
    InputError that says how to get it."""
    named = folder or os.environ.get(VARIABLE)
    if named:
        found = _data_in(Path(named))
        if found is None:
            raise InputError("holds no BFCL_v4_simple_python.json", file=named, mend=MEND)
        return found
    for folder_there in (_installed(), cache_folder()):
        found = _data_in(folder_there) if folder_there else None
        if found is not None:
            return found
    raise InputError("the data of BFCL v4 is not on this machine", mend=MEND)


def _installed() -> Path | None:
    spec = find_spec("bfcl_eval")
    places = spec.submodule_search_locations if spec else None
    return Path(next(iter(places))) if places else None


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
    """Raises InputError that lists the categories."""
    if name not in CATEGORIES:
        what = f"there is no category {name!r} of BFCL" if name else "the task 'bfcl' needs a category"
        raise InputError(what, mend=f"write bfcl:NAME, one of {', '.join(CATEGORIES)}")
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

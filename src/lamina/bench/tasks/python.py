"""``python:FILE.py``: a task of your own as one Python file with two functions:

    def samples():                  # rows {"input", "id"?, "system"?, "choices"?, "images"?, …}, plain JSON
    def score(row, answer):         # a bool, a number from 0 to 1, or {"metric": bool or number}

``row`` is the row as ``samples`` gave it, ``answer`` the model's text. ``images`` is a path or several that are shown
with the question, below the file's folder where they are relative. Of several metrics the first decides whether an
answer is right where models are compared in pairs. ``MAX_TOKENS = 64`` in the file limits the answer; ``SPANS =
{"stars": (1, 5)}`` names the least and the largest value of metrics that are not from 0 to 1, which their intervals
depend on. The file is your own code and runs as such, like a file of functions; its ``score`` is tried on an empty
answer before a model is loaded."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import math
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from lamina.bench.score_intervals import Span
from lamina.bench.tasks.judged import Scores
from lamina.bench.tasks.pictured import image_problem, own_images
from lamina.bench.tasks.written import COUNTED, Written
from lamina.errors import InputError
from lamina.tools.tool import JSON

ABOUT = "python:FILE.py, your own task as one file: samples() and score(row, answer)"
VERSION = 1
ALONE = "score"
"""The metric of a score that has no name."""
_TAKEN = {*COUNTED, "right"}


def open_task(argument: str) -> Written:
    file = Path(argument)
    if not argument or not file.is_file():
        raise InputError("there is no such file", file=file, mend="name it: python:task.py")
    own = OwnFile(file, _loaded(file))

    @cache
    def rows() -> tuple[JSON, ...]:
        return tuple(own.rows())

    first = own.score(rows()[0], "")
    longest = getattr(own.module, "MAX_TOKENS", 256)
    if not isinstance(longest, int) or longest < 1:
        raise InputError("MAX_TOKENS is no number of tokens", file=file, mend="write MAX_TOKENS = 64, or leave it out")
    decides = next(iter(first))
    return Written(
        f"python:{argument}",
        rows,
        lambda row, answer: own.score(row, answer, decides),
        decides,
        max_tokens=longest,
        spans=own.spans(),
    )


@dataclass(frozen=True)
class OwnFile:
    """The user's module, every mistake in it told with the file and, where there is one, the line."""

    file: Path
    module: ModuleType

    def rows(self) -> Iterator[JSON]:
        count, seen = 0, set()
        for count, row in enumerate(self._samples(), 1):
            problem = _problem(row)
            id = str(row.get("id", count)) if problem is None else ""
            if problem is None and id in seen:
                problem = f"has the id {id!r} of an earlier one"
            if problem:
                raise InputError(f"sample {count} {problem}", file=self.file, mend="correct samples()")
            seen.add(id)
            kept = {key: row[key] for key in ("system", "choices") if row.get(key)} | own_images(row, self.file)
            yield {"id": id, "prompt": row["input"], "target": row.get("target"), "own": dict(row), **kept}
        if not count:
            raise InputError("samples() gives no sample", file=self.file, mend="let it return rows")

    def score(self, row: JSON, answer: str, decides: str | None = None) -> Scores:
        """Raises InputError for a score() that raises, gives none, or none of the name ``decides``."""
        value = self._call("score", row["own"], answer)
        named = value if isinstance(value, Mapping) else {ALONE: value}
        found = {str(name): _plain(one) for name, one in named.items()}
        if taken := _TAKEN & found.keys():
            what = f"score() returned a metric {min(taken)!r}, which is a name of Lamina's own"
            raise InputError(what, file=self.file, mend="give it another one")
        bad = next((name for name, one in found.items() if one is None), None)
        if bad is not None or not found or (decides is not None and decides not in found):
            said = _shown(value)
            raise InputError(f"score() returned {said}", file=self.file, mend=_SCORE)
        for name, (least, most) in self.spans().items():
            if (one := found.get(name)) is not None and not least <= one <= most:
                what = f"score() returned {name} {one:g}, which is not between {least:g} and {most:g}"
                raise InputError(what, file=self.file, mend="correct score() or SPANS")
        return {name: one for name, one in found.items() if one is not None}

    def spans(self) -> dict[str, Span]:
        """Raises InputError where ``SPANS`` is no dict of pairs of numbers."""
        given = getattr(self.module, "SPANS", {})
        found: dict[str, Span] = {}
        for name, span in given.items() if isinstance(given, Mapping) else [("", None)]:
            bounds = [_plain(bound) for bound in span] if isinstance(span, list | tuple) and len(span) == 2 else []
            if not bounds or None in bounds or not bounds[0] < bounds[1]:  # type: ignore[operator]
                mend = 'write SPANS = {"stars": (1, 5)}, or leave it out'
                raise InputError("SPANS is no dict of a least and a largest value by metric", file=self.file, mend=mend)
            found[str(name)] = (float(bounds[0]), float(bounds[1]))  # type: ignore[arg-type]
        return found

    def _samples(self) -> list[Any]:
        given = self._call("samples")
        if not isinstance(given, Iterable) or isinstance(given, str | bytes | Mapping):
            raise InputError(f"samples() returned {type(given).__name__}", file=self.file, mend="return a list of rows")
        rows: list[Any] = self._guarded("samples", lambda: list(given))  # a generator runs here
        return rows

    def _call(self, name: str, *arguments: Any) -> Any:
        function = getattr(self.module, name)
        return self._guarded(name, lambda: function(*arguments))

    def _guarded(self, name: str, act: Callable[[], Any]) -> Any:
        try:
            with redirect_stdout(sys.stderr):
                return act()
        except (Exception, SystemExit) as error:
            raise _broken(self.file, error, f"{name}(): ") from None


_SCORE = "return a bool, a number, or a dict of them by metric"


def _problem(row: Any) -> str | None:
    if not isinstance(row, Mapping):
        return f"is {type(row).__name__}, not a dict"
    if not isinstance(row.get("input"), str) or not row["input"].strip():
        return "has no 'input' text"
    choices = row.get("choices")
    if choices is not None and not (
        isinstance(choices, list | tuple) and choices and all(isinstance(choice, str) for choice in choices)
    ):
        return "has 'choices' that are no list of texts"
    if row.get("system") is not None and not isinstance(row["system"], str):
        return "has a 'system' that is no text"
    if (problem := image_problem(row)) is not None:
        return problem
    try:
        json.dumps(row, allow_nan=False)
    except (TypeError, ValueError) as error:
        return f"is not plain JSON ({error})"
    return None


def _plain(value: Any) -> bool | float | None:
    """Of NumPy's numbers too; None for what is no score."""
    try:
        value = value.item() if hasattr(value, "item") else value
        if isinstance(value, bool):
            return value
        return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
    except (ValueError, OverflowError):  # an array, an integer of hundreds of digits
        return None


def _shown(value: Any) -> str:
    try:
        return f"{value!r}"[:80]
    except ValueError:  # an integer of thousands of digits
        return "a number that is too long"


def _loaded(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"lamina_task_{abs(hash(file))}", file)
    if spec is None or spec.loader is None:
        raise InputError("is no Python file", file=file, mend="name a file that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look themselves up there
    try:
        with redirect_stdout(sys.stderr):
            spec.loader.exec_module(module)
    except SyntaxError as error:
        raise InputError(str(error.msg), file=file, line=error.lineno, mend="correct the file") from None
    except (Exception, SystemExit) as error:
        raise _broken(file, error, "") from None
    missing = [name for name in ("samples", "score") if not callable(getattr(module, name, None))]
    if missing:
        what = " and ".join(f"{name}()" for name in missing)
        raise InputError(f"has no function {what}", file=file, mend="a task needs samples() and score(row, answer)")
    return module


def _broken(file: Path, error: BaseException, where: str) -> InputError:
    frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename) == file.absolute()]
    line = frames[-1].lineno if frames else None
    return InputError(f"{where}{type(error).__name__}: {error}", file=file, line=line, mend="correct the file")


def scoring_digits(argument: str) -> str:
    """Of the file's bytes: part of the key of each sample, so that with another ``score`` the answers are scored anew.
    What the file imports is not in them."""
    return hashlib.sha256(Path(argument).read_bytes()).hexdigest()[:16]

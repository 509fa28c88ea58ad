"""distilabel's APIGen checker, in a process (and a virtual environment) of its own: rows in, ``keep`` out.

Not run by hand: ``verifier_mutations.py`` and ``verifier_speed.py`` start it. Each input line is
``{"calls": [{"name", "arguments"}], "functions": {name: [[parameter, required], …]}}``; a function with exactly these
parameters stands for one that the data set only describes, so that a call with too few or too many arguments raises, as
the real one would. distilabel 1.5.3 calls by position. It evaluates the strings that it is given: run it on trusted
rows."""

from __future__ import annotations

import inspect
import json
import sys
import time
from collections.abc import Callable

from distilabel.steps.tasks.apigen.utils import execute_from_response, load_module_from_path


def function(parameters: list[tuple[str, bool]]) -> Callable[..., str]:
    """Required parameters stand before those that may be left out, as in a Python signature."""
    place = inspect.Parameter.POSITIONAL_OR_KEYWORD
    signature = inspect.Signature(
        [
            inspect.Parameter(f"p{number}", place, default=inspect.Parameter.empty if required else None)
            for number, (_, required) in enumerate(sorted(parameters, key=lambda p: not p[1]))
        ]
    )  # names of other languages ("in-App", "class") are no Python; by position they don't matter

    def run(*values: object) -> str:
        signature.bind(*values)
        return "done"

    return run


def main() -> None:
    module = load_module_from_path(sys.argv[1]) if len(sys.argv) > 1 else None
    rows = [json.loads(line) for line in sys.stdin]
    start, kept = time.perf_counter(), []
    for row in rows:
        functions = row.get("functions") or {}
        found = [
            execute_from_response(
                getattr(module, call["name"], None) if module else
                (function(functions[call["name"]]) if call["name"] in functions else None),
                call["arguments"],
            )["keep"]
            for call in row["calls"]
        ]  # fmt: skip
        kept.append(all(found))
    print(json.dumps({"keep": kept, "seconds": time.perf_counter() - start}))


main()

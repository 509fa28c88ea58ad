"""The official BFCL checker on a file of answers; run by ``bfcl_agreement.py`` with the Python that has ``bfcl-eval``.

usage: bfcl_official.py WHEEL_FOLDER CASES.jsonl VERDICTS.jsonl ROUNDS

Only its AST checker is loaded. That module asks a table of hosted models one thing (whether a model's dots were
turned into underscores) and the table imports some thirty API clients; an empty table that answers "no" stands in for
it, so that no client has to be installed. The checker itself is the wheel's, unchanged.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
import types
from collections import defaultdict
from typing import Any


class _NoUnderscores(dict):  # type: ignore[type-arg]
    def __missing__(self, name: str) -> Any:
        return types.SimpleNamespace(underscore_to_dot=False)


def main(wheel: str, cases: str, verdicts: str, rounds: str) -> None:
    sys.path.insert(0, wheel)
    table = types.ModuleType("bfcl_eval.constants.model_config")
    table.MODEL_CONFIG_MAPPING = _NoUnderscores()  # type: ignore[attr-defined]
    sys.modules[table.__name__] = table
    from bfcl_eval.constants.enums import Language  # type: ignore[import-not-found]
    from bfcl_eval.eval_checker.ast_eval.ast_checker import ast_checker  # type: ignore[import-not-found]

    folder = f"{wheel}/bfcl_eval/data"
    languages = {"simple_java": Language.JAVA, "simple_javascript": Language.JAVASCRIPT}
    rows: dict[str, dict[str, Any]] = {}
    answers: dict[str, dict[str, Any]] = {}
    best: dict[str, float] = {}
    with open(cases) as lines:
        asked = [json.loads(line) for line in lines]
    for category in {case["task"].removeprefix("bfcl:") for case in asked}:
        rows[category] = _by_id(f"{folder}/BFCL_v4_{category}.json")
        answers[category] = _by_id(f"{folder}/possible_answer/BFCL_v4_{category}.json")
    for _ in range(int(rounds)):
        said = []
        seconds: dict[str, float] = defaultdict(float)
        for case in asked:
            category = case["task"].removeprefix("bfcl:")
            language = languages.get(category, Language.PYTHON)
            functions = rows[category][case["id"]]["function"]
            right = answers[category][case["id"]]["ground_truth"]
            with contextlib.redirect_stdout(io.StringIO()):
                began = time.process_time_ns()
                calls = [{call["name"]: call["arguments"]} for call in case["calls"]]
                try:
                    valid = bool(ast_checker(functions, calls, right, language, category, "model")["valid"])
                    crashed = None
                except Exception as error:
                    valid, crashed = False, f"{type(error).__name__}: {error}"
                seconds[category] += (time.process_time_ns() - began) / 1e9
            said.append({"valid": valid, "crashed": crashed})
        best = {name: min(best.get(name, spent), spent) for name, spent in seconds.items()}
    with open(verdicts, "w") as out:
        for row in [*said, {"seconds": best}]:
            out.write(json.dumps(row) + "\n")


def _by_id(file: str) -> dict[str, Any]:
    with open(file, encoding="utf-8") as lines:
        return {row["id"]: row for row in map(json.loads, lines)}


if __name__ == "__main__":
    main(*sys.argv[1:])

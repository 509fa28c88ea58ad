"""The official multi-turn checker on a file of conversations; run by ``bfcl_multi_turn_agreement.py`` with the Python
that has ``bfcl-eval``.

usage: bfcl_multi_turn_official.py WHEEL_FOLDER CASES.jsonl VERDICTS.jsonl

The checker is the wheel's, unchanged. It keeps the simulators' instances by name, so that each conversation has a name
of its own; they are removed after it.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any


def main(wheel: str, cases: str, verdicts: str) -> None:
    sys.path.insert(0, wheel)
    from bfcl_eval.eval_checker.multi_turn_eval import multi_turn_utils  # type: ignore[import-not-found]
    from bfcl_eval.eval_checker.multi_turn_eval.multi_turn_checker import (  # type: ignore[import-not-found]
        multi_turn_checker,
    )

    folder = f"{wheel}/bfcl_eval/data"
    with open(cases) as lines:
        asked = [json.loads(line) for line in lines]
    names = {case["category"] for case in asked}
    rows = {name: _by_id(f"{folder}/BFCL_v4_{name}.json") for name in names}
    answers = {name: _by_id(f"{folder}/possible_answer/BFCL_v4_{name}.json") for name in names}
    began = time.process_time()
    with open(verdicts, "w") as out:
        for number, case in enumerate(asked):
            name, row = case["category"], rows[case["category"]][case["id"]]
            turns = [[[_written(call) for call in answer] for answer in turn if answer] for turn in case["turns"]]
            right, model = answers[name][case["id"]]["ground_truth"], f"case{number}of"
            try:
                found = multi_turn_checker(turns, right, dict(row), name, model)
                said = {"valid": bool(found["valid"]), "type": found.get("error_type")}
            except Exception as error:
                said = {"valid": False, "type": f"raised {type(error).__name__}: {error}"}
            for key in [key for key in vars(multi_turn_utils) if key.startswith(model)]:
                del vars(multi_turn_utils)[key]
            out.write(json.dumps(said) + "\n")
        out.write(json.dumps({"seconds": time.process_time() - began}) + "\n")


def _written(call: dict[str, Any]) -> str:
    return f"{call['name']}({', '.join(f'{name}={value!r}' for name, value in call['arguments'].items())})"


def _by_id(file: str) -> dict[str, Any]:
    with open(file, encoding="utf-8") as lines:
        return {row["id"]: row for row in map(json.loads, lines)}


if __name__ == "__main__":
    main(*sys.argv[1:])

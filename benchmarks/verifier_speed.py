"""Rows a second through stages 1 and 2 of verification, beside distilabel's execution checker on the same calls.

usage: verifier_speed.py [ROWS] [--distilabel PYTHON]    (10,000 rows, two minutes; docs/results/verifier.md)

Calls are drawn for the functions of examples/library, which are declared pure. Stage 1 is the format check, stage 2
runs the calls in guarded forks, many to a fork, and looks at what came back; "a fork each" is the same for functions
that nobody declared pure. distilabel runs them in its own process, without any confinement; PYTHON is that of a virtual
environment with ``pip install distilabel``. All take turns, three times.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

from lamina.checks.execution import check_execution
from lamina.checks.rule import Candidate
from lamina.checks.schema import check_format
from lamina.synth.values import ValuePool, draw_arguments
from lamina.tools import Toolbox, read_tools
from lamina.tools.execution import Executor
from lamina.trajectories import ToolCall

LIBRARY = Path(__file__).parents[1] / "examples" / "library"
CHECKER = Path(__file__).with_name("verifier_distilabel.py")
GOALS = {"stage 1": 100_000, "stage 2": 20_000, "stage 2, a fork each": 600}
FORKED = 1000
ROUNDS = 3


def drawn(toolbox: Toolbox, rows: int) -> list[ToolCall]:
    chance, pool = random.Random(0), ValuePool()
    tools = list(toolbox)
    found: list[ToolCall] = []
    while len(found) < rows:
        tool = tools[len(found) % len(tools)]
        arguments = draw_arguments(tool, chance, pool)
        if not tool.problems(arguments):
            found.append(ToolCall.of(tool.name, arguments))
    return found


def candidates(calls: list[ToolCall]) -> list[Candidate]:
    return [Candidate("Please do this for me.", [[call]], "simple", "drawn", 0, "") for call in calls]


def stage_1(rows: list[Candidate], toolbox: Toolbox) -> int:
    return sum(check_format(row, toolbox) is None for row in rows)


def stage_2(rows: list[Candidate], executor: Executor) -> int:
    ran = executor.run_many([[(c.name, c.arguments) for c in row.calls] for row in rows])
    good = 0
    for row, results in zip(rows, ran, strict=True):
        row.results = [results]
        good += check_execution(row, executor.toolbox) is None
    return good


def distilabel(python: str, calls: list[ToolCall]) -> tuple[int, float]:
    """How many it keeps, and the seconds by its own clock."""
    lines = "\n".join(json.dumps({"calls": [{"name": c.name, "arguments": c.arguments}]}) for c in calls)
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder, "library.py")
        names = sorted(p.stem for p in LIBRARY.glob("*.py") if p.stem != "__init__")
        imports = "\n".join(f"from library.{name} import *" for name in names)
        whole.write_text(f"import sys\nsys.path.insert(0, {str(LIBRARY.parent)!r})\n{imports}\n")
        done = subprocess.run(
            [python, str(CHECKER), str(whole)], input=lines, capture_output=True, text=True, check=True
        )
    answer = json.loads(done.stdout.splitlines()[-1])
    return sum(answer["keep"]), answer["seconds"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=int, nargs="?", default=10_000)
    parser.add_argument("--distilabel", metavar="PYTHON")
    asked = parser.parse_args()
    toolbox = read_tools(LIBRARY)
    apart = Toolbox([replace(t, target=replace(t.target, pure=False)) for t in toolbox])
    calls = drawn(toolbox, asked.rows)
    seconds: dict[str, list[float]] = {}
    good: dict[str, int] = {}

    def timed(name: str, work: Callable[..., int], rows: list[Candidate], given: object) -> None:
        started = time.perf_counter()
        good[name] = work(rows, given)
        seconds.setdefault(name, []).append((time.perf_counter() - started) / len(rows))

    with Executor(toolbox) as together, Executor(apart) as alone:
        stage_2(candidates(calls[:50]), together)
        stage_2(candidates(calls[:FORKED]), alone)  # so many that every supervisor is started
        for _ in range(ROUNDS):
            rows, few = candidates(calls), candidates(calls[:FORKED])
            timed("stage 1", stage_1, rows, toolbox)
            timed("stage 2", stage_2, rows, together)
            timed("stage 2, a fork each", stage_2, few, alone)
            if asked.distilabel:
                good["distilabel, not guarded"], taken = distilabel(asked.distilabel, calls)
                seconds.setdefault("distilabel, not guarded", []).append(taken / len(calls))
    print(f"{'':26}  {'rows/s':>9}  {'lowest':>9}  {'goal':>7}  {'good':>6}  of the second line")
    base = median(seconds["stage 2"])
    for name, each in seconds.items():
        goal = GOALS.get(name, "")
        print(f"{name:26}  {1 / median(each):9.0f}  {1 / max(each):9.0f}  {goal:>7}  {good[name]:>6}  "
              f"{base / median(each):.2f}")  # fmt: skip
    sys.exit(any(1 / median(seconds[name]) < goal for name, goal in GOALS.items()))


if __name__ == "__main__":
    main()

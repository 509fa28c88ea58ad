"""Lamina's BFCL scorer against the official checker, answer by answer, and how fast each of them is.

    python -m venv official && official/bin/pip install --no-deps bfcl-eval==2026.3.23
    python benchmarks/bfcl_agreement.py --official official/bin/python

Answers are made for every AST category: for each row right calls drawn from the ground truth, and mutations of
them; ``--answers RUN`` adds what models really answered (the samples of a ``lamina bench`` run). The official checker
runs in its own Python. Exit status 1 where they disagree. Where the official checker raises, its whole evaluation
would end; those answers are counted apart, and Lamina has to call them wrong.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bfcl_mutations import mutated, right_calls

from lamina.bench.tasks.bfcl import CATEGORIES, BfclTask

Case = dict[str, Any]
ROUNDS = 3
"""Each side judges everything so often, and its quickest round counts (processor time: the machine is shared)."""


def main() -> int:
    options = _options()
    wheel = _wheel_folder(options.official)
    folder = options.golden or wheel / "bfcl_eval/data"
    tasks = {f"bfcl:{c.name}": BfclTask(c, folder=folder) for c in CATEGORIES.values() if c.has_answers}
    cases = [case for name, task in tasks.items() for case in _cases(name, task, options)]
    for run in options.answers:
        cases += _answered(Path(run), tasks)
    with tempfile.TemporaryDirectory() as folder:
        asked, said = Path(folder) / "cases.jsonl", Path(folder) / "verdicts.jsonl"
        asked.write_text("".join(json.dumps(case) + "\n" for case in cases))
        script = Path(__file__).with_name("bfcl_official.py")
        subprocess.run([options.official, str(script), str(wheel), str(asked), str(said), str(ROUNDS)], check=True)
        *official, timing = [json.loads(line) for line in said.read_text().splitlines()]
    if options.golden:
        _keep(cases, official, options.golden / "verdicts.jsonl")
    ours, seconds = _ours(cases, tasks)
    return _report(cases, official, ours, timing["seconds"], seconds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--official", required=True, help="a Python in whose environment bfcl-eval is installed")
    parser.add_argument("--mutations", type=int, default=10, help="a row")
    parser.add_argument("--least", type=int, default=2000, help="answers a category, whatever its number of rows")
    parser.add_argument("--answers", action="append", default=[], metavar="RUN", help="a run folder of lamina bench")
    parser.add_argument("--golden", type=Path, metavar="DIR", help="rows to use instead; keeps the verdicts there")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def _wheel_folder(python: str) -> Path:
    code = "import importlib.util as u; print(next(iter(u.find_spec('bfcl_eval').submodule_search_locations)))"
    return Path(subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()).parent


def _cases(name: str, task: BfclTask, options: argparse.Namespace) -> Iterator[Case]:
    samples = task.samples()
    times = max(options.mutations + 1, -(-options.least // len(samples)))
    chance = random.Random(f"{options.seed} {name}")
    for sample in samples:
        for turn in range(times):
            calls = right_calls(sample.row, task.category.language, chance)
            if turn:
                calls = mutated(calls, sample.row, task.category.language, chance)
            yield {"task": name, "id": sample.id, "calls": calls, "kind": "mutation" if turn else "ground truth"}


def _answered(run: Path, tasks: dict[str, BfclTask]) -> Iterator[Case]:
    from lamina.runs import RecordStore

    with RecordStore(run / "records.sqlite") as store:
        for row in store.iterate("sample"):
            record = json.loads(row.payload)
            if record["task"] in tasks:
                calls = record["transcript"][0]["calls"]
                yield {"task": record["task"], "id": record["sample"], "calls": calls, "kind": "model"}


def _keep(cases: list[Case], official: list[Case], file: Path) -> None:
    rows = [
        {"task": case["task"], "id": case["id"], "calls": case["calls"], "valid": verdict["valid"]}
        for case, verdict in zip(cases, official, strict=True)
        if verdict["crashed"] is None
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def _ours(cases: list[Case], tasks: dict[str, BfclTask]) -> tuple[list[str | None], dict[str, float]]:
    samples = {(name, s.id): s for name, task in tasks.items() for s in task.samples()}
    cases = [json.loads(json.dumps(case)) for case in cases]
    best: dict[str, float] = {}
    for _ in range(ROUNDS):
        problems: list[str | None] = []
        seconds: dict[str, float] = defaultdict(float)
        for case in cases:
            sample = samples[case["task"], case["id"]]
            began = time.process_time_ns()
            problems.append(tasks[case["task"]].judge(sample, case["calls"]))
            seconds[case["task"].removeprefix("bfcl:")] += (time.process_time_ns() - began) / 1e9
        best = {name: min(best.get(name, spent), spent) for name, spent in seconds.items()}
    return problems, best


def _report(
    cases: list[Case], official: list[Case], ours: list[str | None], theirs: dict[str, float], mine: dict[str, float]
) -> int:
    count: Counter[tuple[str, str]] = Counter()
    wrong = 0
    for case, verdict, problem in zip(cases, official, ours, strict=True):
        category = case["task"].removeprefix("bfcl:")
        count[category, case["kind"]] += 1
        count[category, "right"] += verdict["valid"]
        count[category, "truth right"] += verdict["valid"] and case["kind"] == "ground truth"
        count[category, "raised"] += verdict["crashed"] is not None
        if verdict["valid"] != (problem is None):
            wrong += 1
            count[category, "disagree"] += 1
            if wrong <= 20:
                print(json.dumps({**case, "official": verdict, "ours": problem})[:1500], file=sys.stderr)
    head = (
        "category",
        "ground truth",
        "mutation",
        "model",
        "truth right",
        "right",
        "raised",
        "disagree",
        "us official",
        "us Lamina",
        "ratio",
    )
    print(" ".join(f"{h:>14}" for h in head))
    for category in sorted(theirs):
        n = sum(count[category, kind] for kind in ("ground truth", "mutation", "model"))
        a, b = theirs[category] / n * 1e6, mine[category] / n * 1e6
        row = [category[-14:], *(count[category, k] for k in head[1:8]), f"{a:.1f}", f"{b:.1f}", f"{a / b:.2f}"]
        print(" ".join(f"{c:>14}" for c in row))
    print(f"{len(cases)} answers, {wrong} disagreements, {sum(theirs.values()) / sum(mine.values()):.2f} times as fast")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

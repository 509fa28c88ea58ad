"""How good is a model that is tuned on the rows of one writer alone, with and without the grammar's?

usage: writers_accuracy.py OUT NAME=RUN… --tools FILE --tasks TASK,… [--seed N] [--epochs N]

Each RUN is a synthesis of the same functions by another writer (`lamina synth … --writer REF`). Of each are taken as
many of the model's training rows as the run with the fewest has, drawn with the seed; the user's examples are left out,
because two thousand of them would hide the writer. Three kinds of rows are trained on: each writer's, each writer's and
the grammar's (of the first RUN), and the grammar's alone. All answer the same requests, held to the same schema, in 8
bits. Every step is a verb with a run folder: the same command goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path
from typing import Any

from verbs import lamina

from lamina.bench.intervals import wilson
from lamina.trajectories import Trajectory, read_trajectories, write_trajectories

NO_MODEL = ("examples", "grammar")


def arms_of(runs: dict[str, Path], seed: int) -> dict[str, list[Trajectory]]:
    rows = {name: [row for row in read_trajectories(run) if row.meta.split == "train"] for name, run in runs.items()}
    by_model = {name: [row for row in found if row.meta.writer not in NO_MODEL] for name, found in rows.items()}
    grammar = [row for row in next(iter(rows.values())) if row.meta.writer == "grammar"]
    fewest = min(map(len, by_model.values()))
    arms = {name: random.Random(seed).sample(found, fewest) for name, found in by_model.items()}
    return {**arms, **{f"{name}-grammar": [*found, *grammar] for name, found in arms.items()}, "grammar": grammar}


def tuned(name: str, rows: list[Trajectory], given: argparse.Namespace) -> Path:
    """The 8-bit file of the embedded model tuned on these rows."""
    folder, file = given.out / name, given.out / f"rows-{name}.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    write_trajectories(file, rows)
    lamina("train", file, "--out", folder, "--epochs", str(given.epochs), "--seed", str(given.seed))
    lamina("quantize", folder, "--types", "Q8_0", "--out", folder / "gguf")
    (made,) = (folder / "gguf").glob("model-*.gguf")
    named = made.with_name(f"{name}.gguf")
    if not named.exists():
        named.hardlink_to(made)
    return named


def task_name(task: str) -> str:
    return Path(task.partition(":")[2]).stem


def table(found: dict[str, Any], sizes: dict[str, int], tasks: list[str]) -> None:
    print(f"\n| tuned on | rows | {' | '.join(map(task_name, tasks))} |\n|---|---|{'---|' * len(tasks)}")
    for name, size in sizes.items():
        cells = []
        for task in tasks:
            of_it = (r for r in found["rows"] if (r["model"], r["metric"]) == (name, "call_exact"))
            row = next(r for r in of_it if task_name(r["task"]) == task_name(task))
            share = wilson(round(row["value"] * row["n"]), row["n"])
            cells.append(f"{share.value:.1%} ({share.low:.0%} to {share.high:.0%})" if share else "-")
        print(f"| {name} | {size} | {' | '.join(cells)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("runs", nargs="+", metavar="NAME=RUN")
    parser.add_argument("--tools", required=True)
    parser.add_argument("--tasks", required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=float, default=3.0)
    given = parser.parse_args()
    runs = {name: Path(run) for name, _, run in (one.partition("=") for one in given.runs)}
    arms = arms_of(runs, given.seed)
    files = {name: tuned(name, rows, given) for name, rows in arms.items()}
    found = lamina("bench", *files.values(), "--tools", given.tools, "--tasks", given.tasks, "--repeats", "0",
                   "--out", given.out / "bench")  # fmt: skip
    table(found, {name: len(rows) for name, rows in arms.items()}, given.tasks.split(","))
    for pair in found["paired"]:
        print(json.dumps(pair))


if __name__ == "__main__":
    main()

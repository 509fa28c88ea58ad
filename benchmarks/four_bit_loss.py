"""What the 4- and 8-bit files of a build lose against its F16 file, on rows that no training saw, and how often each
gives the very calls of the float32 model.

usage: four_bit_loss.py RUN ROWS OUT [--queries FILE] [--trained DIR] [--tools FILE] [--most N]

RUN is a finished build, ROWS a synthesis of the same functions with another seed or writer. Taken are the generated
requests there, not the user's examples, without those that RUN's rows hold in these words or nearly, and with
``--queries`` requests written by hand. ``--trained``: a folder with ``model`` and ``gguf``, trained on RUN's rows, in
place of RUN's own. OUT keeps the answers: the same command goes on. Everybody is asked the same, greedily, under the
same constraint, and compared prompt by prompt.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from lamina.bench import BenchModel, BenchSettings, OwnTask, Task, bench_models, query_of
from lamina.bench.intervals import wilson
from lamina.checks import contaminated
from lamina.models import prompt_style_of
from lamina.runs import Progress, Run
from lamina.tools import read_tools
from lamina.trajectories import Trajectory, TrajectoryStore


def unseen(built: list[Trajectory], written: list[Trajectory]) -> list[Trajectory]:
    rows = [row for row in written if row.meta.writer != "examples"]
    copies = contaminated([row.request for row in rows], [row.request for row in built])
    return [row for number, row in enumerate(rows) if number not in copies]


def rows_of(folder: Path) -> list[Trajectory]:
    with Run.at(folder) as run:
        return list(TrajectoryStore(run.store).trajectories())


def same_calls(records: list[dict[str, Any]], other: list[dict[str, Any]]) -> list[bool]:
    """Of each sample that both answered: are the calls of the first answer the same?"""
    calls = {(r["task"], r["sample"]): r["transcript"][0]["calls"] for r in records}
    return [calls[r["task"], r["sample"]] == r["transcript"][0]["calls"] for r in other]


def main() -> None:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("rows", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--queries", type=Path)
    parser.add_argument("--trained", type=Path)
    parser.add_argument("--tools", type=Path, help="where RUN's functions lie now")
    parser.add_argument("--most", type=int, default=400)
    args = parser.parse_args()
    rows = unseen(rows_of(args.run), rows_of(args.rows))[: args.most]
    with Run.at(args.run) as run:
        toolbox = read_tools(args.tools or Path(run.config["tools"]))
    folder = args.trained or args.run
    files = sorted((folder / "gguf").glob("*.gguf"), key=lambda file: -file.stat().st_size)
    models = [BenchModel(str(file), "tuned", file.stem.split("-")[-1], prompt_style_of(str(file)) or "full")
              for file in files]  # fmt: skip
    exact = BenchModel(str(folder / "model"), "merged", "float32", models[0].style)
    tasks: list[Task] = [OwnTask(queries=[query_of(row) for row in rows], name="generated")]
    tasks += [OwnTask(file=args.queries)] if args.queries else []
    with Run.open(args.out, {"run": str(folder.resolve()), "rows": str(args.rows.resolve())}) as out:
        settings = BenchSettings(timing_samples=0)
        found = bench_models([*models, exact], tasks, run=out, toolbox=toolbox, settings=settings, progress=Progress())
        records: dict[str, list[dict[str, Any]]] = {}
        for stored in out.store.iterate("sample"):
            record = json.loads(stored.payload)
            records.setdefault(record["precision"], []).append(record)
    print(", ".join(f"{len(task.samples())} of {task.name}" for task in tasks))
    for row in found["rows"]:
        if row["metric"] in ("call_exact", "refusal_right"):
            print(f"{row['precision']:8} {row['task']:20} {row['metric']:14} {row['value']:.3f} "
                  f"({row['low']:.3f} to {row['high']:.3f}) of {row['n']}")  # fmt: skip
    for pair in found["paired"]:
        difference = f"{100 * pair['difference']:+.1f} ({100 * pair['low']:+.1f} to {100 * pair['high']:+.1f})"
        print(f"{pair['b']} against {pair['a']}, {pair['task']}: {difference} points, n={pair['n']}, "
              f"lost {pair['only_a']}, won {pair['only_b']}")  # fmt: skip
    for precision, mine in records.items():
        if precision != exact.precision and (
            same := wilson(sum(alike := same_calls(records["float32"], mine)), len(alike))
        ):
            print(
                f"{precision}: the calls of float32 on {same.value:.3f} ({same.low:.3f} to {same.high:.3f}) of {same.n}"
            )


if __name__ == "__main__":
    main()

"""What the 4- and 8-bit files of a build lose against its F16 file, on rows that no training saw.

usage: four_bit_loss.py RUN ROWS OUT [--most N]     (minutes; docs/results/quantization.md)

RUN is a finished build, ROWS a synthesis of the same functions with another seed or writer. Taken are the generated
requests there, not the user's examples, without those that RUN's rows hold in these words or nearly. OUT keeps the
answers: the same command goes on. Every file is asked the same, greedily, and compared with F16 prompt by prompt.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from lamina.bench import BenchModel, OwnTask, bench_models, query_of
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


def main() -> None:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("rows", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--most", type=int, default=400)
    args = parser.parse_args()
    rows = unseen(rows_of(args.run), rows_of(args.rows))[: args.most]
    with Run.at(args.run) as run:
        toolbox = read_tools(Path(run.config["tools"]))
        files = {file["type"]: file["path"] for file in (run.result("export") or {})["files"]}
    models = [BenchModel(path, "tuned", type, prompt_style_of(path) or "full") for type, path in files.items()]
    task = OwnTask(queries=[query_of(row) for row in rows], name="generated")
    with Run.open(args.out, {"run": str(args.run.resolve()), "rows": str(args.rows.resolve())}) as out:
        found = bench_models(models, [task], run=out, toolbox=toolbox, progress=Progress())
    print(f"{len(rows)} rows")
    for row in found["rows"]:
        if row["metric"] in ("call_exact", "refusal_right"):
            print(f"{row['precision']:6} {row['metric']:14} {row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f})")
    for pair in found["paired"]:
        difference = f"{100 * pair['difference']:+.1f} ({100 * pair['low']:+.1f} to {100 * pair['high']:+.1f})"
        print(f"{pair['b']} against {pair['a']}: {difference} points, n={pair['n']}, lost {pair['only_a']}, "
              f"won {pair['only_b']}")  # fmt: skip


if __name__ == "__main__":
    main()

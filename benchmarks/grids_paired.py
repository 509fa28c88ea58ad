"""Two grids of one experiment, cell by cell in pairs of a seed: does another rule, or another weight, help?

usage: grids_paired.py BEFORE AFTER [--cells attention/uniform=attention/layerwise,…]

BEFORE and AFTER: run folders of ``lamina distill --experiment``. Without ``--cells``, AFTER's cells with layer-wise
rates against BEFORE's with uniform ones, each transfer that both have (docs/results/layerwise.md).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from lamina.runs import RecordStore
from lamina.training.layerwise.comparing_seeds import paired_p, student_interval


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--cells", default="")
    options = parser.parse_args()
    before, after = scores(options.before), scores(options.after)
    asked = [tuple(pair.split("=")) for pair in options.cells.split(",") if pair]
    asked = asked or [
        (f"{transfer}/uniform", cell)
        for transfer, cell in ((cell.partition("/")[0], cell) for cell in after)
        if cell.endswith("/layerwise") and f"{transfer}/uniform" in before
    ]
    print(f"{'before':24}{'after':24}  before  after  difference, 95 %                  p  n, better, worse")
    gains = []
    for old, new in asked:
        seeds = sorted(before[old].keys() & after[new].keys())
        changes = [100 * (after[new][seed] - before[old][seed]) for seed in seeds]
        value, low, high = student_interval(changes)
        gains.append(value)
        means = [100 * sum(of[seed] for seed in seeds) / len(seeds) for of in (before[old], after[new])]
        span = "" if low is None or high is None else f"({low:+.1f} to {high:+.1f})"
        counts = f"{len(seeds)}, {sum(c > 0 for c in changes)}, {sum(c < 0 for c in changes)}"
        p = paired_p(changes)
        told = "" if p is None else f"{p:.3f}"
        print(f"{old:24}{new:24}  {means[0]:6.1f} {means[1]:6.1f}  {value:+5.2f} {span:22}  {told:>5}  {counts}")
    print(f"mean gain {sum(gains) / len(gains):+.2f} points")


def scores(folder: Path) -> dict[str, dict[int, float]]:
    """{transfer/rule: {seed: score}}."""
    found: dict[str, dict[int, float]] = {}
    with RecordStore(folder / "records.sqlite") as store:
        for row in store.iterate("cell"):
            cell = json.loads(row.payload)
            found.setdefault(f"{cell['transfer']}/{cell['rates']}", {})[cell["seed"]] = cell["score"]
    return found


if __name__ == "__main__":
    main()
